using PaDiM.Core.Geometry;
using PaDiM.Core.Persistence;
using PaDiM.Core.Statistics;
using PaDiM.Core.Tests.Support;

namespace PaDiM.Core.Tests.Persistence;

public sealed class StatisticsFileTests
{
    private static readonly Grid Grid = new(2, 3);

    [Fact]
    public void Adding_goes_on_after_a_round_trip_as_if_there_had_been_none()
    {
        var images = RandomEmbeddings.Draw(1, 9, Grid, 4);
        var kept = Fitting.Gather(images[..5]);
        var read = RoundTrip(kept);
        kept.Add(images[5..]);
        read.Add(images[5..]);
        Assert.Equal((Grid, 4, 9), (read.Grid, read.Dimensions, read.Count));
        Assert.Equal(kept.Mean, read.Mean);
        Assert.Equal(kept.Scatter, read.Scatter);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Sums_of_shared_positions_go_on_as_if_there_had_been_no_file(bool masked)
    {
        var images = RandomEmbeddings.Draw(1, 9, Grid, 4);
        var kept = new SharedStatistics(Grid, 4, masked ? [1, 0.5f, 0, 1, 0.25f, 1] : null);
        kept.Add(images[..5]);
        var read = RoundTrip(kept);
        kept.Add(images[5..]);
        read.Add(images[5..]);
        Assert.Equal((Grid, 4, 9), (read.Grid, read.Dimensions, read.Count));
        Assert.Equal(kept.Mean, read.Mean);
        Assert.Equal(kept.Scatter, read.Scatter);
        Assert.Equal(kept.Shares, read.Shares);
    }

    [Theory]
    [InlineData(0, 3, 1f)]
    [InlineData(2, 2049, 1f)]
    [InlineData(3, 3, 1f)]
    [InlineData(2, 3, -1f)]
    [InlineData(2, 3, float.NaN)]
    [InlineData(2, 3, 0f)]
    public void A_grid_or_shares_that_no_image_has_are_refused(int height, int width, float share)
    {
        var stream = new MemoryStream();
        Safetensors.Write(
            stream,
            new Dictionary<string, string> { ["format"] = "padim-statistics/1" },
            SafetensorsTensor.Create("count", [1], new[] { 3 }),
            SafetensorsTensor.Create("mean", [4], new double[4]),
            SafetensorsTensor.Create("scatter", [10], new double[10]),
            SafetensorsTensor.Create("grid", [2], new[] { height, width }),
            SafetensorsTensor.Create("shares", [2, 3], Enumerable.Repeat(share, 6).ToArray())
        );
        stream.Position = 0;
        Assert.Throws<InvalidDataException>(() => StatisticsFile.Read(stream));
    }

    [Fact]
    public void Other_tensors_are_not_taken_for_statistics()
    {
        var stream = new MemoryStream();
        Safetensors.Write(
            stream,
            new Dictionary<string, string>(),
            SafetensorsTensor.Create("mean", [2, 3, 4], new double[24])
        );
        stream.Position = 0;
        Assert.Throws<InvalidDataException>(() => StatisticsFile.Read(stream));
    }

    private static T RoundTrip<T>(T statistics)
        where T : TrainingStatistics
    {
        var stream = new MemoryStream();
        StatisticsFile.Write(stream, statistics);
        stream.Position = 0;
        return Assert.IsType<T>(StatisticsFile.Read(stream));
    }
}
