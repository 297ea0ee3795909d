"""The figures (metrics.py) in Prometheus's text format, for whoever shows the token."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from .metrics import gauges
from .tokens import require_token

PREFIX: Final = "plainsight_"


class _Rows(Collector):
    """What prometheus_client asks."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every figure in its own form."""
        for one in gauges():
            family = GaugeMetricFamily(PREFIX + one.name, one.help, labels=[one.label] if one.label else [])
            if one.value is not None:
                family.add_metric([], one.value)
            for word, value in one.values.items():
                family.add_metric([word], value)
            if family.samples:
                yield family


@require_safe
@login_not_required
def metrics(request: HttpRequest) -> HttpResponseBase:
    """Answer with every figure, to whoever shows the token."""
    require_token(request, settings.ARCHIVE.metrics.token_file, "metrics.token_file")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Rows())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
