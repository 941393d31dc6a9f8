using System.Collections;
using PaDiM.Core.Embedding;

namespace PaDiM.Engine.Fitting;

/// <summary>
/// Represents the embeddings of a batch of training images in buffers that <see cref="TrainingEmbeddings"/> owns and
/// reuses: valid until it loads the next batch. Later access throws, so that no caller reads overwritten values.
/// </summary>
internal sealed class EmbeddingBatch(TrainingEmbeddings owner, int number, PatchEmbedding[] embeddings)
    : IReadOnlyList<PatchEmbedding>
{
    /// <inheritdoc/>
    public int Count => embeddings.Length;

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The owner has loaded another batch since.</exception>
    public PatchEmbedding this[int index] =>
        owner.BatchNumber == number
            ? embeddings[index]
            : throw new InvalidOperationException("The buffers of this batch now hold another batch.");

    /// <inheritdoc/>
    public IEnumerator<PatchEmbedding> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
