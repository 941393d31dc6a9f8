namespace PaDiM.Cli.Backbones;

/// <summary>How fast a download is, from the first piece of this run on; begins anew when the download does.</summary>
/// <param name="time">Measures it.</param>
internal sealed class DownloadRate(TimeProvider time)
{
    private long _firstBytes,
        _lastBytes = long.MaxValue,
        _startTimestamp;

    /// <summary>Bytes per second so far; 0 at the first piece.</summary>
    /// <param name="bytes">Bytes that are there, those of earlier runs included.</param>
    public double Update(long bytes)
    {
        if (bytes < _lastBytes)
        {
            _firstBytes = bytes;
            _startTimestamp = time.GetTimestamp();
        }
        _lastBytes = bytes;
        var seconds = time.GetElapsedTime(_startTimestamp).TotalSeconds;
        return seconds > 0 ? (bytes - _firstBytes) / seconds : 0;
    }
}
