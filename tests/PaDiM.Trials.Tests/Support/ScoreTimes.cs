using System.Diagnostics;
using PaDiM.Service.TestSupport;

namespace PaDiM.Trials.Support;

/// <summary>How long a line waits for its scores, one after the other.</summary>
internal static class ScoreTimes
{
    /// <summary>Between the parts of a line.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Of so many scores.</summary>
    public static async Task<List<TimeSpan>> TimesAsync(this CategoryClient category, int count)
    {
        var times = new List<TimeSpan>();
        for (var i = 0; i < count; i++)
        {
            var start = Stopwatch.GetTimestamp();
            await category.ScoreAsync(Parts.Good(1));
            times.Add(Stopwatch.GetElapsedTime(start));
        }
        return times;
    }

    /// <summary>Of the scores of a line until something has ended.</summary>
    public static async Task<List<TimeSpan>> TimesUntilAsync(this CategoryClient category, Task end)
    {
        var times = new List<TimeSpan>();
        while (!end.IsCompleted)
        {
            times.AddRange(await category.TimesAsync(1));
            await Task.Delay(Pause);
        }
        return times;
    }

    /// <summary>The middle one, in milliseconds.</summary>
    public static double Median(this List<TimeSpan> times) => times.Percentile(0.5);

    /// <summary>The one that so large a share of the others does not exceed, in milliseconds.</summary>
    public static double Percentile(this List<TimeSpan> times, double share) =>
        times.Order().ElementAt((int)(share * times.Count)).TotalMilliseconds;
}
