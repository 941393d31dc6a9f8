using PaDiM.Cli.Backbones;

namespace PaDiM.Cli.Tests.Backbones;

public sealed class DownloadRateTests
{
    [Fact]
    public void It_counts_from_the_first_piece_and_restarts_with_the_download()
    {
        var clock = new Clock();
        var rate = new DownloadRate(clock);
        clock.Seconds = 100;
        Assert.Equal(0, rate.Update(5000));
        clock.Seconds = 102;
        Assert.Equal(500, rate.Update(6000));
        clock.Seconds = 110;
        Assert.Equal(0, rate.Update(100));
        clock.Seconds = 111;
        Assert.Equal(700, rate.Update(800));
    }

    private sealed class Clock : TimeProvider
    {
        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}
