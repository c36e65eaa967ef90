# CronHub whole in one container: API, tick, evaluate and notify over the embedded store in /var/lib/cronhub.
# docs/hosting.md says how to run it, and how to run its parts one by one.
FROM python:3.11-slim-bookworm

WORKDIR /opt/cronhub
COPY requirements.txt ./
COPY infra/local/requirements.txt infra/local/
RUN python -m pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes -r requirements.txt -r infra/local/requirements.txt
COPY app.py ./
COPY .chalice .chalice
COPY chalicelib chalicelib
COPY infra infra
RUN python -m compileall -q app.py chalicelib infra \
    && useradd --system --uid 10001 --home-dir /var/lib/cronhub cronhub \
    && install -d -m 700 -o cronhub -g cronhub /var/lib/cronhub

USER cronhub
ENV HOST=0.0.0.0 \
    PORT=4000 \
    CRONHUB_STATE=/var/lib/cronhub
VOLUME /var/lib/cronhub
EXPOSE 4000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as web; web.urlopen('http://localhost:' + os.environ['PORT'] + '/api/health', timeout=4)"]
CMD ["python", "-m", "infra.local"]
