namespace PaDiM.Cli.Backbones;

/// <summary>How fast a download is, from the first piece of this run on; begins anew when the download does.</summary>
/// <param name="time">Measures it.</param>
internal sealed class DownloadRate(TimeProvider time)
{
    private long _first,
        _last = long.MaxValue,
        _start;

    /// <summary>Bytes per second so far; 0 at the first piece.</summary>
    /// <param name="bytes">Bytes that are there, those of earlier runs included.</param>
    public double At(long bytes)
    {
        if (bytes < _last)
        {
            _first = bytes;
            _start = time.GetTimestamp();
        }
        _last = bytes;
        var seconds = time.GetElapsedTime(_start).TotalSeconds;
        return seconds > 0 ? (bytes - _first) / seconds : 0;
    }
}
