namespace PaDiM.Cli.Backbones;

/// <summary>How fast a download is, from the first piece of this run on; begins anew when the download does.</summary>
/// <param name="time">Measures it.</param>
internal sealed class DownloadRate(TimeProvider time)
{
    private long first, last = long.MaxValue, start;

    /// <summary>Bytes per second so far; 0 at the first piece.</summary>
    /// <param name="bytes">Bytes that are there, those of earlier runs included.</param>
    public double At(long bytes)
    {
        if (bytes < last) (first, start) = (bytes, time.GetTimestamp());
        last = bytes;
        var seconds = time.GetElapsedTime(start).TotalSeconds;
        return seconds > 0 ? (bytes - first) / seconds : 0;
    }
}
