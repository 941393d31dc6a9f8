using PaDiM.Core.Embedding;
using PaDiM.Engine.Fitting;
using PaDiM.Engine.Inference;
using PaDiM.Engine.Tests.Support;
using PaDiM.Imaging.Decoding;
using PaDiM.TestSupport;

namespace PaDiM.Engine.Tests.Fitting;

public sealed class TrainingEmbeddingsTests
{
    [Fact]
    public void A_batch_cannot_be_read_once_the_next_one_uses_its_buffers()
    {
        using var folder = new TempDirectory();
        using var fits = new Fits();
        var images = fits.Parts(0, 4);
        var store = new EmbeddingStore(folder.Path, TimeProvider.System);
        var decoder = new ImageDecoder();
        var parallel = OnThreadPool.Context.ToParallelOptions();
        var reduction = ChannelReduction.Draw(
            Fits.Settings.Reduction,
            Fits.Tiny.TapChannels,
            Fits.Settings.Dimensions,
            Fits.Settings.Seed
        );
        using var embeddings = new TrainingEmbeddings(
            new Embedder(Fits.Tiny, Fits.Settings, reduction),
            "key",
            decoder,
            store,
            new TrainingPixels(Fits.Settings, images, decoder, DecodeOptions.Default, store, parallel),
            Fits.Tiny.GetPatchGrid(Fits.Settings),
            OnThreadPool.Context,
            CancellationToken.None
        );
        var first = embeddings.Load(images[..2]);
        var copy = first[0].Values.ToArray();

        var second = embeddings.Load(images[2..]);

        Assert.Equal(2, second.Count);
        Assert.NotEqual(copy, second[0].Values);
        Assert.Throws<InvalidOperationException>(() => first[0]);
        Assert.Equal(copy, embeddings.Load(images[..2])[0].Values);
    }
}
