using System.Diagnostics;
using System.Globalization;
using PaDiM.TestSupport;

namespace PaDiM.Trials.Cluster;

/// <summary>Machines on a switch: network namespaces of Linux, of which each can be cut off.</summary>
internal sealed class Network : IAsyncDisposable
{
    private readonly string _id;
    private readonly string _subnet;
    private readonly string[] _machines;
    private readonly Process _process;

    private Network(string[] machines)
    {
        var number = Environment.ProcessId;
        _id = string.Create(CultureInfo.InvariantCulture, $"padim{number}");
        _subnet = string.Create(CultureInfo.InvariantCulture, $"10.{200 + (number % 50)}.{number / 50 % 250}");
        _machines = machines;
        _process = Process.Start(
            new ProcessStartInfo(
                Path.Combine(Repository.Root, "tests", "PaDiM.Trials.Tests", "Cluster", "network.sh"),
                [_id, _subnet, .. machines]
            )
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
    }

    /// <summary>Starts a network; skips the test where there is none to be had.</summary>
    public static async Task<Network> StartAsync(params string[] machines)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.UserName == "root", "Networks take root, on Linux.");
        var network = new Network(machines);
        var errors = network._process.StandardError.ReadToEndAsync();
        if (await network._process.StandardOutput.ReadLineAsync() != "ready")
            Assert.Skip($"No network can be created: {await errors}");
        return network;
    }

    public string GetAddress(string machine) => $"{_subnet}.{Array.IndexOf(_machines, machine) + 2}";

    /// <summary>Gets what runs a program on a machine: the arguments that follow.</summary>
    public string[] Enter(string machine) => ["nsenter", $"--net=/run/netns/{_id}-{machine}"];

    /// <summary>Cuts a machine off: nothing that is sent to it or from it arrives, and nobody is told.</summary>
    public Task CutAsync(string machine) => SetLinkAsync(machine, "down");

    /// <summary>Connects it again.</summary>
    public Task JoinAsync(string machine) => SetLinkAsync(machine, "up");

    /// <summary>Changes a setting of the network of one machine.</summary>
    public Task SetAsync(string machine, string name, int value) =>
        RunAsync([.. Enter(machine), "sysctl", "-q", "-w", $"{name}={value}"]);

    /// <summary>Runs a program to its end, which must be good.</summary>
    public static async Task<string> RunAsync(params string[] command)
    {
        using var process = Process.Start(
            new ProcessStartInfo(command[0], command[1..])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        // Servers that stay in the background keep the pipes: nothing waits for their end.
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{string.Join(' ', command)}: {await output}{await errors}");
        return output.IsCompleted ? await output : "";
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private Task<string> SetLinkAsync(string machine, string state) =>
        RunAsync("ip", "-n", $"{_id}-switch", "link", "set", "dev", machine, state);
}
