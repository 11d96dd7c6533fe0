"""Language models that a pipeline can ask: transformers, OpenAI-compatible endpoints, SmolLM2 from a package, plain functions."""

from __future__ import annotations

from ebmhw.verify.models.choose import as_model
from ebmhw.verify.models.endpoint import EndpointModel
from ebmhw.verify.models.function import FunctionModel
from ebmhw.verify.models.huggingface import HuggingFaceModel
from ebmhw.verify.models.language_model import Completion, LanguageModel, Message

__all__ = ["Completion", "EndpointModel", "FunctionModel", "HuggingFaceModel", "LanguageModel", "Message", "as_model"]
