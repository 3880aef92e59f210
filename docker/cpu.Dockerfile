# emoje-edge on any CPU (x86-64 or aarch64), without torch:
#   docker build -f docker/cpu.Dockerfile -t emoje-edge .
#   docker run --rm --network none -v "$PWD:/data" emoje-edge infer /data/talk.mp4
# `--network none` holds what the tests hold: nothing is sent anywhere.
FROM python:3.12-slim
COPY . /src
RUN pip install --no-cache-dir /src && rm -rf /src
RUN useradd --create-home emoje
USER emoje
WORKDIR /data
ENTRYPOINT ["emoje-edge"]
CMD ["doctor"]
