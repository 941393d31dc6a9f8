using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using PaDiM.Engine.Inference;
using PaDiM.Service.Data;
using PaDiM.Service.Hosting;

namespace PaDiM.Service.TestSupport;

/// <summary>
/// The whole service in this process: real Kestrel on a free loopback port, real SQLite and real files in a data
/// directory.
/// </summary>
internal sealed class RunningService : IAsyncDisposable
{
    private readonly WebApplication _app;

    private RunningService(WebApplication app)
    {
        _app = app;
        Http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public HttpClient Http { get; }

    public static Task<RunningService> StartAsync(
        string dataDirectory,
        params (string Option, object Value)[] options
    ) => StartAsync(dataDirectory, null, options);

    /// <summary>Scores as on CUDA, with the CPU for a device.</summary>
    public static Task<RunningService> StartOnDeviceAsync(
        string dataDirectory,
        params (string Option, object Value)[] options
    ) =>
        StartAsync(
            dataDirectory,
            services => services.AddSingleton(BackboneRuntime.Create(DevicePreference.Cpu).WithDeviceScoring()),
            options
        );

    /// <summary>Runs by a clock of its own.</summary>
    public static Task<RunningService> StartByAsync(
        TimeProvider time,
        string dataDirectory,
        params (string Option, object Value)[] options
    ) => StartAsync(dataDirectory, services => services.AddSingleton(time), options);

    /// <summary>Runs with services of the test's own beside the service's.</summary>
    public static Task<RunningService> StartWithAsync(
        Action<IServiceCollection> add,
        string dataDirectory,
        params (string Option, object Value)[] options
    ) => StartAsync(dataDirectory, add, options);

    private static async Task<RunningService> StartAsync(
        string dataDirectory,
        Action<IServiceCollection>? replace,
        (string Option, object Value)[] options
    )
    {
        await EmptyDatabase.PutAsync(dataDirectory, options);
        var app = Program.Build(
            [
                "--urls=http://127.0.0.1:0",
                $"--Padim:DataDirectory={dataDirectory}",
                "--Serilog:MinimumLevel:Default=Fatal",
                "--Serilog:MinimumLevel:Override:Microsoft.AspNetCore=Fatal",
                "--Serilog:MinimumLevel:Override:Microsoft.EntityFrameworkCore=Fatal",
                "--Serilog:MinimumLevel:Override:Npgsql=Fatal",
                .. options.Select(option => FormattableString.Invariant($"--Padim:{option.Option}={option.Value}")),
            ],
            replace
        );
        await app.PrepareAsync();
        await app.StartAsync();
        return new RunningService(app);
    }

    /// <summary>A part of the service, to be looked at or driven directly.</summary>
    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    /// <summary>The file of a stored image.</summary>
    public string GetBlobPath(string sha256) => Path.Combine(Get<DataDirectory>().Root, BlobStore.GetKey(sha256));

    /// <summary>A category as a client sees it.</summary>
    public CategoryClient Category(string name) => new(Http, name);

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
