# emoje-edge with JetPack's TensorRT.  Untested: this project has had no Jetson.
#   docker build -f docker/jetson.Dockerfile --build-arg BASE="$BASE" --build-arg CUDA=12 -t emoje-edge .
# BASE is NVIDIA's l4t-jetpack image of the device's own release (r36.4.0 for JetPack 6.2): TensorRT inside must be the
# one that plans are built with.  CUDA is 12 for JetPack 6, 13 for JetPack 7.
ARG BASE
FROM ${BASE}
ARG CUDA=12
RUN apt-get update \
 && apt-get install --yes --no-install-recommends python3-venv python3-libnvinfer libgl1 libglib2.0-0 \
 && rm -rf /var/lib/apt/lists/*
# sees JetPack's tensorrt module
RUN python3 -m venv --system-site-packages /opt/emoje
ENV PATH=/opt/emoje/bin:$PATH EMOJE_ENGINES=/engines
COPY . /src
RUN pip install --no-cache-dir "/src[build]" "cuda-bindings==${CUDA}.*" && rm -rf /src
RUN useradd --create-home --groups video emoje && mkdir /engines && chown emoje /engines
USER emoje
VOLUME /engines
ENTRYPOINT ["emoje-edge"]
CMD ["doctor"]
