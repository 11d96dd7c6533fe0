"""The job stream's parser, one topic a module; `JobParser` is the whole."""

from hdl.ising_core.parser.job_parser import JobParser, Phase

__all__ = ["JobParser", "Phase"]
