using PaDiM.Client.Tests.Support;
using PaDiM.Service.TestSupport;
using PaDiM.TestSupport;

namespace PaDiM.Client.Tests;

/// <summary>Scores against a real service.</summary>
public sealed class ScoreTests(SharedService shared)
{
    [Fact]
    public async Task Files_bytes_memory_and_streams_get_the_same_score()
    {
        var category = await shared.FittedAsync();
        var bytes = Parts.Bad(70);
        using var folder = new TempDirectory();
        var path = folder.Combine("part.bmp");
        await File.WriteAllBytesAsync(path, bytes);
        await using var stream = File.OpenRead(path);
        await using var behind = new MemoryStream([1, 2, 3, .. bytes]) { Position = 3 };
        await using var pipe = new UnseekableStream(bytes);
        ImageSource[] sources =
        [
            ImageSource.FromFile(path),
            bytes,
            bytes.AsMemory(),
            new ReadOnlyMemory<byte>(bytes),
            stream,
            behind,
            pipe,
        ];

        var scores = new List<ScoreResponse>();
        foreach (var source in sources)
            scores.Add(await shared.Client.ScoreAsync(category, source));

        Assert.Single(scores.Select(score => score.Score).Distinct());
        Assert.All(scores, score => Assert.Equal(Decision.Anomalous, score.Decision));
        Assert.NotEmpty(scores[0].Regions);
        Assert.True(stream.CanRead, "The caller's stream stays open.");
    }

    [Fact]
    public async Task Raw_pixels_score_as_the_same_pixels_in_a_file()
    {
        var category = await shared.FittedAsync();
        var part = PaDiM.TestSupport.Parts.SyntheticParts.Good(80, Parts.Side);
        var frame = new RawFrame(part.Pixels, Parts.Side, Parts.Side, PixelFormat.Rgb24);

        var raw = await shared.Client.ScoreAsync(category, frame);
        var encoded = await shared.Client.ScoreAsync(category, Parts.Good(80));

        Assert.Equal(encoded.Score, raw.Score);
        Assert.Equal(Decision.Normal, raw.Decision);
    }

    [Fact]
    public async Task A_problem_of_the_service_is_an_exception_with_its_code()
    {
        var problem = await Assert.ThrowsAsync<PadimException>(() =>
            shared.Client.ScoreAsync("nothing-here", Parts.Good(1))
        );
        Assert.Equal("category_not_found", problem.Code);
        Assert.Equal(404, problem.Status);
        Assert.False(problem.IsTransient);
        Assert.NotNull(problem.TraceId);
        Assert.Contains("nothing-here", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_file_is_the_callers_fault()
    {
        Assert.Throws<FileNotFoundException>(() => ImageSource.FromFile("/nothing/here.png"));
        using var folder = new TempDirectory();
        var path = folder.Combine("part.bmp");
        await File.WriteAllBytesAsync(path, Parts.Good(1));
        var source = ImageSource.FromFile(path);
        File.Delete(path);
        var category = await shared.FittedAsync();
        await Assert.ThrowsAsync<FileNotFoundException>(() => shared.Client.ScoreAsync(category, source));
    }
}
