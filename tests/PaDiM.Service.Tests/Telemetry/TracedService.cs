namespace PaDiM.Service.Tests.Telemetry;

/// <summary>A service that writes its log as JSON and sends its traces to a receiver of this process.</summary>
public sealed class TracedService : IAsyncLifetime
{
    internal OtlpReceiver Receiver { get; private set; } = null!;

    internal ObservedService Service { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Receiver = await OtlpReceiver.StartAsync();
        Service = await ObservedService.StartAsync(
            ("OTEL_EXPORTER_OTLP_ENDPOINT", Receiver.Address),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
            ("OTEL_SERVICE_NAME", "line-7"),
            ("Padim__LogFormat", "json"),
            ("Padim__MaxBatchWaitMs", "200"),
            ("Padim__MaxBatchSize", "4")
        );
    }

    public async ValueTask DisposeAsync()
    {
        await Service.DisposeAsync();
        await Receiver.DisposeAsync();
    }
}

/// <summary>The tests that share it.</summary>
[CollectionDefinition]
public sealed class TracedTests : ICollectionFixture<TracedService>;
