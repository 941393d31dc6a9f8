namespace PaDiM.Service.Sinks;

/// <summary>
/// Numbers the connections of an edge node from 0 to 255 and again from 0 (<c>bdSeq</c>), also across changes of its
/// settings. By its number, a host knows which connection a death certificate is about.
/// </summary>
internal sealed class SparkplugSessions
{
    private int _next;

    public int Next() => (Interlocked.Increment(ref _next) - 1) & 255;
}
