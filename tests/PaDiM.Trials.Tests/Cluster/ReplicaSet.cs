using System.Diagnostics;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Trials.Cluster;

/// <summary>Replicas on machines of their own, each with an empty disk when it starts.</summary>
internal sealed class ReplicaSet(Network network, params (string Option, object Value)[] options) : IAsyncDisposable
{
    public const int Port = 8080;
    private readonly Dictionary<string, ServiceProcess> _running = [];
    private readonly List<IAsyncDisposable> _gone = [];
    private readonly List<TempDirectory> _disks = [];

    public ServiceProcess this[string machine] => _running[machine];

    /// <summary>Gets the processor time of all replicas that run.</summary>
    public TimeSpan ProcessorTime =>
        TimeSpan.FromMilliseconds(
            _running.Values.Sum(replica =>
            {
                using var process = Process.GetProcessById(replica.Id);
                return process.TotalProcessorTime.TotalMilliseconds;
            })
        );

    /// <summary>Gets where a replica listens, or will.</summary>
    public string GetAddress(string machine) => $"{network.GetAddress(machine)}:{Port}";

    /// <summary>Starts a replica with an empty disk, in place of the one before.</summary>
    public async Task StartAsync(string machine)
    {
        if (_running.Remove(machine, out var before))
            _gone.Add(before);
        var disk = new TempDirectory();
        _disks.Add(disk);
        _running[machine] = await ServiceProcess.StartThroughAsync(
            network.Enter(machine),
            disk.Path,
            [.. options, ("ASPNETCORE_URLS", $"http://{GetAddress(machine)}"), ("ReplicaName", machine)]
        );
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var replica in _gone.Concat(_running.Values))
            await replica.DisposeAsync();
        foreach (var disk in _disks)
            disk.Dispose();
    }
}
