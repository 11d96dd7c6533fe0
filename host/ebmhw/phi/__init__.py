"""The entropy of token distributions: logits in, records out, through any backend that has a phi unit (``backend.phi``)."""

from ebmhw.phi.layout import FLAG, PARTIAL, RECORD
from ebmhw.phi.logits import DeviceLogits
from ebmhw.phi.partials import PhiPartials
from ebmhw.phi.records import PhiRecords

__all__ = ["FLAG", "PARTIAL", "RECORD", "DeviceLogits", "PhiPartials", "PhiRecords"]
