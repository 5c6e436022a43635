# The image of every service of docker-compose.yml. Nothing is downloaded but the packages of the lock, checked by hash.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONNOUSERSITE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /opt/renqun

# The packages first: they change seldom, the code often.
COPY requirements.lock ./
RUN pip install --quiet --no-compile --no-deps --require-hashes --only-binary :all: -r requirements.lock \
    && (python -m compileall -q -j 0 "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" || true)

COPY pyproject.toml README.md ./
COPY include ./include
RUN pip install --quiet --no-deps --no-build-isolation -e . \
    && python -m compileall -q include

COPY dags ./dags
COPY dbt_project ./dbt_project
COPY expectations ./expectations
COPY docs ./docs

# Not root; the project is read-only to it, its only writable place is the volume of the home.
RUN groupadd --gid 10001 renqun \
    && useradd --uid 10001 --gid renqun --home-dir /srv/renqun --no-create-home --shell /usr/sbin/nologin renqun \
    && install -d -o renqun -g renqun /srv/renqun
USER renqun
VOLUME /srv/renqun

ENV RENQUN_HOME=/srv/renqun \
    AIRFLOW_HOME=/srv/renqun/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/renqun/dags \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__USAGE_DATA_COLLECTION__ENABLED=False \
    SCARF_ANALYTICS=false \
    DO_NOT_TRACK=1 \
    DBT_SEND_ANONYMOUS_USAGE_STATS=false \
    GX_ANALYTICS_ENABLED=false

CMD ["renqun", "status"]
