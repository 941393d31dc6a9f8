namespace PaDiM.Cli.Backbones;

/// <summary>
/// Measures the speed of a download from the first piece of this run. Restarts when the download restarts.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class DownloadRate(TimeProvider time)
{
    private long _firstBytes,
        _lastBytes = long.MaxValue,
        _startTimestamp;

    /// <summary>Records a piece and gets the bytes per second so far; 0 for the first piece.</summary>
    /// <param name="bytes">Bytes downloaded, including those of earlier runs.</param>
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
