using System.Diagnostics;
using System.Globalization;
using PaDiM.TestSupport;

namespace PaDiM.Service.TestSupport;

/// <summary>Debian's MQTT broker as a process of its own, to be stopped, paused and started again.</summary>
internal sealed class Mosquitto : IAsyncDisposable
{
    private readonly TempDirectory _folder = new();
    private Process? _process;

    private Mosquitto(int port) => Port = port;

    public int Port { get; }

    /// <summary>Where the program is; null where it is not installed.</summary>
    public static string? Program { get; } =
        new[] { "/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto" }.FirstOrDefault(File.Exists);

    /// <summary>Starts it, or skips the test.</summary>
    public static async Task<Mosquitto> StartAsync()
    {
        Assert.SkipUnless(Program is not null, "mosquitto is absent: install the package mosquitto.");
        var broker = new Mosquitto(FreePort.Find());
        await broker.StartAgainAsync();
        return broker;
    }

    public async Task StartAgainAsync()
    {
        var settings = _folder.Combine("mosquitto.conf");
        await File.WriteAllTextAsync(
            settings,
            string.Create(CultureInfo.InvariantCulture, $"listener {Port} 127.0.0.1\nallow_anonymous true\n")
        );
        _process = Process.Start(
            new ProcessStartInfo(Program!, ["-c", settings])
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            }
        )!;
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        await Eventually.TrueAsync(
            async () =>
            {
                Assert.False(_process.HasExited, "mosquitto has ended.");
                try
                {
                    using var client = new System.Net.Sockets.TcpClient();
                    await client.ConnectAsync("127.0.0.1", Port);
                    return true;
                }
                catch (System.Net.Sockets.SocketException)
                {
                    return false;
                }
            },
            () => "mosquitto does not listen."
        );
    }

    /// <summary>Ends it at once.</summary>
    public async Task StopAsync()
    {
        if (_process is null)
            return;
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    /// <summary>Lets it neither answer nor end: its connections stay open.</summary>
    public Task PauseAsync() => SignalAsync("STOP");

    public Task ContinueAsync() => SignalAsync("CONT");

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }

    private async Task SignalAsync(string name)
    {
        using var kill = Process.Start("kill", [$"-{name}", $"{_process!.Id}"]);
        await kill.WaitForExitAsync();
    }
}
