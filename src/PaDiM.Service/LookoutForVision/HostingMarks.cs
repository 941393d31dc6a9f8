using System.Collections.Concurrent;

namespace PaDiM.Service.LookoutForVision;

/// <summary>
/// Remembers which versions clients have stopped, so that what they wait for comes true. Nothing is stopped: every version
/// scores whenever it is asked, and other clients may be asking. Kept in memory, for this replica. Thread-safe.
/// </summary>
internal sealed class HostingMarks
{
    private readonly ConcurrentDictionary<(string Category, int Version), bool> _stopped = new();

    public bool IsStopped(string category, int version) => _stopped.ContainsKey((category, version));

    /// <summary>Marks a version, which exists, as stopped.</summary>
    public void Stop(string category, int version) => _stopped[(category, version)] = true;

    public void Start(string category, int version) => _stopped.TryRemove((category, version), out _);
}
