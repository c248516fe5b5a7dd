# The product as one container: web server, worker and watchdog, as `manage.py run` starts them.
FROM python:3.11-slim-bookworm

# tini reaps what the watchdog kills and hands signals on.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 connector \
    && install --directory --owner connector /data

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 CONNECTOR_DATA_DIR=/data
WORKDIR /srv/connector
COPY requirements.lock .
RUN pip install --no-deps --requirement requirements.lock
COPY . .

USER connector
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=20s --start-period=60s --retries=3 \
    CMD ["python", "manage.py", "alive"]
ENTRYPOINT ["tini", "--", "python", "manage.py"]
CMD ["run", "--host", "0.0.0.0", "--port", "8000"]
