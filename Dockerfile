# CPU image:  docker build -t padim .
# GPU image:  docker build -t padim:gpu --target gpu --build-arg ONNX_RUNTIME=Microsoft.ML.OnnxRuntime.Gpu .
# CUDA and cuDNN in CUDA_IMAGE must have the major versions that ONNX Runtime's GPU package was built for: 13 and 9.
ARG CUDA_IMAGE=nvidia/cuda:13.0.2-cudnn-runtime-ubuntu24.04

FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
ARG ONNX_RUNTIME=Microsoft.ML.OnnxRuntime
ARG VERSION=1.0.0
ARG TARGETARCH=amd64
WORKDIR /source
COPY . .
RUN rid="linux-$(echo "$TARGETARCH" | sed 's/amd64/x64/')" \
    && dotnet publish src/PaDiM.Service -c Release -o /app -r "$rid" --self-contained false -p:OnnxRuntimePackage="$ONNX_RUNTIME" -p:RestoreLockedMode=false \
    && mkdir /data
# The bill of materials: every package in the program, with its hash.
RUN dotnet tool restore \
    && dotnet CycloneDX src/PaDiM.Service/PaDiM.Service.csproj --disable-package-restore --output /app --filename sbom.cdx.json --output-format Json --set-name PaDiM.Service --set-version "$VERSION"

# No shell, no package manager, not root. The root file system may be read-only: the service writes to /data only, and
# the runtime's diagnostics to /tmp.
FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled AS cpu
COPY --from=build /app /app
COPY --from=build --chown=$APP_UID /data /data
ENV Padim__DataDirectory=/data Padim__Access=required ASPNETCORE_HTTP_PORTS=8080 DOTNET_EnableDiagnostics=0 ORT_DISABLE_TELEMETRY=1 MALLOC_ARENA_MAX=2
ARG VERSION=1.0.0
LABEL org.opencontainers.image.title="PaDiM.Service" \
    org.opencontainers.image.description="Visual inspection over HTTP: fits PaDiM models to images of good parts, and scores images" \
    org.opencontainers.image.version="$VERSION"
USER $APP_UID
VOLUME /data
EXPOSE 8080
WORKDIR /data
ENTRYPOINT ["dotnet", "/app/PaDiM.Service.dll"]

FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble AS runtime

FROM ${CUDA_IMAGE} AS gpu
COPY --from=runtime /usr/share/dotnet /usr/share/dotnet
COPY --from=build /app /app
COPY --from=build --chown=1654 /data /data
ENV Padim__DataDirectory=/data Padim__Access=required Padim__Device=cuda ASPNETCORE_HTTP_PORTS=8080 DOTNET_EnableDiagnostics=0 ORT_DISABLE_TELEMETRY=1 MALLOC_ARENA_MAX=2
ARG VERSION=1.0.0
LABEL org.opencontainers.image.title="PaDiM.Service" \
    org.opencontainers.image.description="Visual inspection over HTTP: fits PaDiM models to images of good parts, and scores images" \
    org.opencontainers.image.version="$VERSION"
USER 1654
VOLUME /data
EXPOSE 8080
WORKDIR /data
ENTRYPOINT ["/usr/share/dotnet/dotnet", "/app/PaDiM.Service.dll"]

# The default target of `docker build .`.
FROM cpu
