"""Flattened device trees, read without dtc, and a tree of a board as far as our overlay needs one."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MAGIC = 0xD00D_FEED
_BEGIN, _END, _PROPERTY, _NO_OPERATION, _DONE = 1, 2, 3, 4, 9

BASE = """\
/dts-v1/;
/ {
	#address-cells = <2>;
	#size-cells = <2>;
	compatible = "xlnx,zynqmp-sk-kv260", "xlnx,zynqmp";
	interrupt-parent = <&gic>;
	pcap: pcap { };
	zynqmp_clk: clock-controller { #clock-cells = <1>; };
	zynqmp_reset: reset-controller { #reset-cells = <1>; };
	fpga_full: fpga-region {
		compatible = "fpga-region";
		fpga-mgr = <&pcap>;
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
	};
	amba: axi {
		compatible = "simple-bus";
		#address-cells = <2>;
		#size-cells = <2>;
		ranges;
		gic: interrupt-controller@f9010000 {
			compatible = "arm,gic-400";
			#address-cells = <0>;
			#interrupt-cells = <3>;
			interrupt-controller;
			reg = <0x0 0xf9010000 0x0 0x10000>;
		};
	};
};
"""
"""What an overlay of a ZynqMP refers to, by the labels of the kernel's zynqmp.dtsi."""


@dataclass
class Node:
    """A node: its properties as they lie in the tree, and the nodes below."""

    properties: dict[str, bytes] = field(default_factory=dict)
    nodes: dict[str, Node] = field(default_factory=dict)

    def at(self, path: str) -> Node:
        """Return the node at a path such as "axi/fabric"; KeyError where there is none."""
        node = self
        for name in filter(None, path.split("/")):
            node = node.nodes[name]
        return node

    def cells(self, name: str) -> list[int]:
        """Return a property as 32-bit cells."""
        raw = self.properties[name]
        return list(struct.unpack(f">{len(raw) // 4}I", raw))

    def write(self, folder: Path) -> None:
        """Write the tree as the kernel shows it in /proc/device-tree: a folder a node, a file a property."""
        folder.mkdir(parents=True)
        for name, value in self.properties.items():
            (folder / name).write_bytes(value)
        for name, node in self.nodes.items():
            node.write(folder / name)


def read_tree(blob: bytes) -> Node:
    """Return the root of a flattened device tree (Devicetree Specification 0.4, section 5)."""
    magic, total, structure, strings = struct.unpack_from(">4I", blob)
    assert magic == MAGIC and total == len(blob)
    position, root, path = structure, Node(), []
    while True:
        (token,) = struct.unpack_from(">I", blob, position)
        position += 4
        if token == _BEGIN:
            end = blob.index(b"\0", position)
            node = Node() if path else root
            if path:
                path[-1].nodes[blob[position:end].decode()] = node
            path.append(node)
            position = end + 1
        elif token == _PROPERTY:
            length, name = struct.unpack_from(">2I", blob, position)
            position += 8
            at = strings + name
            path[-1].properties[blob[at : blob.index(b"\0", at)].decode()] = blob[position : position + length]
            position += length
        elif token == _END:
            path.pop()
        elif token == _DONE:
            assert not path
            return root
        else:
            assert token == _NO_OPERATION
        position += -position % 4


def text(*strings: str) -> bytes:
    """Return a property of strings."""
    return b"".join(one.encode() + b"\0" for one in strings)


def cells(*values: int) -> bytes:
    """Return a property of 32-bit cells."""
    return struct.pack(f">{len(values)}I", *values)


def added(merged: Node, base: Node) -> Mapping[str, dict[str, bytes]]:
    """Return the nodes that are in one tree and not in another, by their paths, with their properties."""
    found: dict[str, dict[str, bytes]] = {}

    def walk(node: Node, other: Node | None, path: str) -> None:
        if other is None:
            found[path] = node.properties
        for name, below in node.nodes.items():
            walk(below, other.nodes.get(name) if other else None, f"{path}/{name}")

    walk(merged, base, "")
    return found
