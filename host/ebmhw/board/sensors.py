"""Temperatures and supply of a machine, as the kernel's hwmon and IIO drivers show them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from ebmhw.board.system import read_text

_HWMON: Final = {"temp": (1e-3, "°C"), "in": (1e-3, "V"), "curr": (1e-3, "A"), "power": (1e-6, "W")}
"""Unit and its share of what the kernel counts in (millidegrees, millivolts, milliamperes, microwatts), by kind of input."""

_COUNT: Final = 64
"""Inputs that are read at the most."""


@final
@dataclass(frozen=True)
class Sensor:
    """A reading: device and input ("ina260_u14 power1"), its value, and its unit ("°C", "V", "A", "W")."""

    name: str
    value: float
    unit: str

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {"name": self.name, "value": self.value, "unit": self.unit}

    def __str__(self) -> str:
        return f"{self.name} {self.value:.4g} {self.unit}"


def sensors(root: Path = Path("/")) -> tuple[Sensor, ...]:
    """Return what can be read now; what cannot is left out."""
    return tuple([*_hwmon(root), *_ams(root)][:_COUNT])


def _hwmon(root: Path) -> list[Sensor]:
    found = []
    for device in sorted((root / "sys/class/hwmon").glob("hwmon*")):
        title = (read_text(device / "name") or device.name).strip()
        for path in sorted(device.glob("*_input")):
            kind = re.fullmatch(r"(temp|in|curr|power)(\d+)_input", path.name)
            value = _number(path)
            if kind and value is not None:
                scale, unit = _HWMON[kind.group(1)]
                label = (read_text(device / f"{kind.group(1)}{kind.group(2)}_label") or f"{kind.group(1)}{kind.group(2)}").strip()
                found.append(Sensor(f"{title} {label}", value * scale, unit))
    return found


def _ams(root: Path) -> list[Sensor]:
    """Return the temperatures of the processor's system monitor, (raw + offset) * scale in millidegrees (Documentation/ABI/testing/sysfs-bus-iio)."""
    found = []
    for device in sorted((root / "sys/bus/iio/devices").glob("iio:device*")):
        title = (read_text(device / "name") or device.name).strip()
        for path in sorted(device.glob("in_temp*_raw")):
            raw, scale = _number(path), _number(path.with_name(path.name.replace("_raw", "_scale")))
            offset = _number(path.with_name(path.name.replace("_raw", "_offset"))) or 0.0
            if raw is not None and scale is not None:
                found.append(Sensor(f"{title} {path.name[3:-4]}", (raw + offset) * scale * 1e-3, "°C"))
    return found


def _number(path: Path) -> float | None:
    try:
        value = float(read_text(path) or "")
    except ValueError:
        return None
    return value if abs(value) < 1e15 else None
