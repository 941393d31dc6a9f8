using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Tests.Embedding;

public sealed class PatchEmbeddingTests
{
    [Fact]
    public void Positions_run_along_rows()
    {
        var embedding = new PatchEmbedding(new Grid(2, 3), 2, [.. Enumerable.Range(0, 12).Select(i => (float)i)]);
        Assert.Equal(6, embedding.Grid.Positions);
        Assert.Equal([8, 9], embedding[1 * 3 + 1].ToArray());
    }

    [Theory]
    [InlineData(11)]
    [InlineData(13)]
    public void Values_that_do_not_fit_the_shape_are_refused(int count) =>
        Assert.Throws<ArgumentException>(() => new PatchEmbedding(new Grid(2, 3), 2, new float[count]));
}
