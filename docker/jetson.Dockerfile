# emoje-edge with JetPack's TensorRT.  Untested: this project has had no Jetson.
#   docker build -f docker/jetson.Dockerfile -t emoje-edge .                                        JetPack 6.2
#   docker build -f docker/jetson.Dockerfile -t emoje-edge --build-arg BASE=… --build-arg CUDA=13 .   JetPack 7.2
# BASE is NVIDIA's JetPack image of the device's own release: TensorRT inside must be the one that plans are built with.
ARG BASE=nvcr.io/nvidia/l4t-jetpack:r36.4.0
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
