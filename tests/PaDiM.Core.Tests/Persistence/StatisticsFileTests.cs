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

    private static PatchStatistics RoundTrip(PatchStatistics statistics)
    {
        var stream = new MemoryStream();
        StatisticsFile.Write(stream, statistics);
        stream.Position = 0;
        return StatisticsFile.Read(stream);
    }
}
