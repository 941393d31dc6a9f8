using System.Numerics.Tensors;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Statistics;

/// <summary>
/// The sums of a fit with one Gaussian for all positions: mean and scatter M2 = sum w (x - mean)(x - mean)^T over the
/// patches of all images, each weighted by the share of it that counts. Memory: <c>d + d (d + 1) / 2</c> doubles,
/// however many positions there are.
/// </summary>
public sealed class SharedStatistics : TrainingStatistics
{
    private readonly float[]? _shares;

    // Sum of the shares of one image, and of their squares.
    private readonly double _share,
        _squares;

    /// <summary>Creates statistics from their sums.</summary>
    /// <param name="grid">Patch positions.</param>
    /// <param name="dimensions">Length d of an embedding vector.</param>
    /// <param name="count">Number of images n, at least 0.</param>
    /// <param name="mean">Length d.</param>
    /// <param name="scatter">M2, length d (d + 1) / 2: a lower triangle packed by columns.</param>
    /// <param name="shares">The share of each position that counts, 0 to 1 and at least one above 0; null if all
    /// count.</param>
    /// <exception cref="ArgumentException">The number of images is negative, an array has another length, or a share
    /// is none.</exception>
    public SharedStatistics(Grid grid, int dimensions, int count, double[] mean, double[] scatter, float[]? shares)
        : base(grid, dimensions, count)
    {
        Mean = Shapes.CheckLength(mean, dimensions);
        Scatter = Shapes.CheckLength(scatter, PackedTriangle.GetLength(dimensions));
        _shares = shares is null ? null : Shapes.CheckLength(shares, grid.Positions);
        for (var p = 0; p < grid.Positions; p++)
        {
            double share = shares is null ? 1 : shares[p];
            if (share is not (>= 0 and <= 1))
                throw new ArgumentException("Shares lie between 0 and 1.", nameof(shares));
            _share += share;
            _squares += share * share;
        }
        if (_share == 0)
            throw new ArgumentException("No position counts.", nameof(shares));
    }

    /// <summary>Creates statistics without images.</summary>
    /// <param name="grid">Patch positions.</param>
    /// <param name="dimensions">Length d of an embedding vector.</param>
    /// <param name="shares">The share of each position that counts; null if all count.</param>
    public SharedStatistics(Grid grid, int dimensions, float[]? shares = null)
        : this(grid, dimensions, 0, new double[dimensions], new double[PackedTriangle.GetLength(dimensions)], shares)
    { }

    /// <summary>Gets the mean, length d.</summary>
    public double[] Mean { get; }

    /// <summary>Gets the scatter M2, length d (d + 1) / 2: a lower triangle packed by columns.</summary>
    public double[] Scatter { get; }

    /// <summary>Gets the share of each position that counts; null if all count.</summary>
    public IReadOnlyList<float>? Shares => _shares;

    /// <inheritdoc/>
    public override bool IsFor(PatchPositions positions, float[]? shares) =>
        positions == PatchPositions.Shared
        && (_shares is null) == (shares is null)
        && _shares.AsSpan().SequenceEqual(shares);

    /// <summary>
    /// Gets the patches as whole samples at one position. Patches of which only a share counts are fewer samples:
    /// (sum w)^2 / sum w^2 (Kish, 1965), rounded. The scatter is scaled, so that M2 / (samples - 1) is the unbiased
    /// covariance M2 / (sum w - sum w^2 / sum w).
    /// </summary>
    internal PatchStatistics ToSamples()
    {
        var weight = Count * _share;
        var samples = (int)Math.Clamp(Math.Round(weight * _share / _squares), 1, int.MaxValue);
        var freedom = weight - _squares / _share;
        var scatter = (double[])Scatter.Clone();
        if (samples > 1 && samples - 1 != freedom)
            TensorPrimitives.Multiply(scatter, (samples - 1) / freedom, scatter);
        return new PatchStatistics(new Grid(1, 1), Dimensions, samples, (double[])Mean.Clone(), scatter);
    }

    /// <summary>Copies the statistics without one image that was added before.</summary>
    /// <param name="image">The image.</param>
    /// <param name="sums">A buffer, which receives the sums of the image.</param>
    internal SharedStatistics Without(PatchEmbedding image, ImageSums sums)
    {
        var copy = new SharedStatistics(
            Grid,
            Dimensions,
            Count,
            (double[])Mean.Clone(),
            (double[])Scatter.Clone(),
            _shares
        );
        sums.Compute(image);
        copy.Combine(sums, copy.Count - 1, -1);
        copy.Grow(-1);
        return copy;
    }

    /// <summary>Creates a buffer for <see cref="Without"/>.</summary>
    internal ImageSums CreateImageSums() => new(Dimensions, _shares);

    private protected override void Clear()
    {
        Array.Clear(Mean);
        Array.Clear(Scatter);
    }

    /// <summary>
    /// Sums the patches of each image, in parallel, and combines the images in their order: so the same images give the
    /// same bytes on every machine.
    /// </summary>
    private protected override void UpdateSums(IReadOnlyList<PatchEmbedding> batch, int sign, ParallelOptions parallel)
    {
        ImageSums[] sums =
        [
            .. Enumerable.Range(0, Math.Min(batch.Count, Partition.Cores(parallel))).Select(_ => CreateImageSums()),
        ];
        var after = Count;
        foreach (var part in batch.Chunk(sums.Length))
        {
            ParallelLoop.For(part.Length, parallel, i => sums[i].Compute(part[i]));
            for (var i = 0; i < part.Length; i++)
                Combine(sums[i], after += sign, sign);
        }
    }

    /// <summary>
    /// Adds an image by Chan's formula, or solves it for the statistics without the image. With n images before and
    /// n' after it, all of weight s: M2 += sign (M2 of the image + s n / n' D D^T), and mean += sign D / n'.
    /// </summary>
    private void Combine(ImageSums image, int after, int sign)
    {
        if (after == 0)
        {
            Clear();
            return;
        }
        var factor = _share * (after - sign) / after;
        var delta = new double[Dimensions];
        TensorPrimitives.Subtract(image.Mean, Mean, delta);
        foreach (var column in PackedTriangle.Columns(Dimensions))
        {
            var j = column.Index;
            var target = column.In(Scatter.AsSpan());
            TensorPrimitives.MultiplyAdd(column.In(image.Scatter.AsSpan()), (double)sign, target, target);
            TensorPrimitives.MultiplyAdd(delta.AsSpan(j), sign * factor * delta[j], target, target);
        }
        TensorPrimitives.MultiplyAdd(delta, (double)sign / after, Mean, Mean);
    }
}
