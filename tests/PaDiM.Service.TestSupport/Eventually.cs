using System.Diagnostics;

namespace PaDiM.Service.TestSupport;

/// <summary>Waits for what happens in the background.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60),
        Pause = TimeSpan.FromMilliseconds(25);

    public static async Task TrueAsync(Func<Task<bool>> condition, Func<string> otherwise)
    {
        for (var started = Stopwatch.GetTimestamp(); !await condition(); await Task.Delay(Pause))
            Assert.True(Stopwatch.GetElapsedTime(started) < Patience, otherwise());
    }
}
