using System.Numerics.Tensors;
using PaDiM.Core.Embedding;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Calibration;

/// <summary>
/// Leave-one-out distances where each position has a Gaussian of its own, in closed form. The
/// scatter without image i is M2 - c D D^T with D = x_i - mean and c = n / (n - 1). With Cov = scale M2 + ridge I, A =
/// M2 + (ridge / scale) I and q = D^T A^-1 D, the formula of Sherman and Morrison gives M^2 = c^2 q / (1 - c q) /
/// scale. Without shrinkage, scale = 1 / (n - 2). Everything is float64: for n below d, c q is near 1. With n = 2 the
/// one image left has no covariance, so Cov = ridge I and M^2 = c^2 |D|^2 / ridge.
/// </summary>
/// <remarks>
/// The mean variance over all positions, on which a relative ridge and the weights of quiet positions depend, changes
/// with the image left out too: the trace of its scatter is tr M2 - c |D|^2 at each position. With n = 2 there are no
/// variances without the image, and those of both images stand in.
/// </remarks>
internal abstract class LeaveOneOutByPosition : LeaveOneOut
{
    /// <summary>What is left of a trace without an image is rounding below this share.</summary>
    private const double TraceTolerance = 1e-12;

    private readonly PositionVariances? _variances;

    private protected LeaveOneOutByPosition(PatchStatistics statistics, Regularisation regularisation)
        : base(statistics.Grid, statistics.Dimensions)
    {
        Statistics = statistics;
        Regularisation = regularisation;
        _variances = regularisation.Measure(statistics);
    }

    private protected PatchStatistics Statistics { get; }

    private protected Regularisation Regularisation { get; }

    /// <summary>Gets c = n / (n - 1).</summary>
    private protected double DeletionFactor => Statistics.Count / (Statistics.Count - 1.0);

    private protected override AnomalyMap[] Compute(IReadOnlyList<PatchEmbedding> batch, ParallelOptions parallel)
    {
        var maps = batch.Select(_ => new AnomalyMap(Grid, new float[Grid.Positions])).ToArray();
        var meanTraces = ComputeMeanTraces(batch, parallel);
        var ridges = Array.ConvertAll(meanTraces, GetRidge);
        Partition.Run(
            Grid.Positions,
            parallel,
            () => CreateWorker(ridges),
            (p, worker) =>
            {
                for (var i = 0; i < maps.Length; i++)
                {
                    TensorPrimitives.ConvertTruncating<float, double>(batch[i][p], worker[i]);
                    TensorPrimitives.Subtract(worker[i], Statistics.MeanAt(p), worker[i]);
                    worker.Weights[i] = GetWeight(p, worker[i], meanTraces[i]);
                }
                worker.ComputeSquares(p, worker.Squares);
                for (var i = 0; i < maps.Length; i++)
                    maps[i].Values[p] = (float)Math.Sqrt(worker.Squares[i] * worker.Weights[i]);
            }
        );
        return maps;
    }

    /// <summary>Creates the buffers that one worker needs for a batch.</summary>
    /// <param name="ridges">The ridge of each image of the batch, without the part of the shrinkage.</param>
    private protected abstract Worker CreateWorker(double[] ridges);

    /// <summary>
    /// Computes M^2 = c^2 q / (1 - c q) / scale. In exact arithmetic c q is below 1; the bound keeps rounding from
    /// turning the distance of a far image into NaN.
    /// </summary>
    private protected double ToSquaredDistance(double q, double scale) =>
        DeletionFactor * DeletionFactor * q / Math.Max(1 - DeletionFactor * q, 1e-12) / scale;

    /// <summary>Computes the mean trace over all positions without each image.</summary>
    private double[] ComputeMeanTraces(IReadOnlyList<PatchEmbedding> batch, ParallelOptions parallel)
    {
        var means = new double[batch.Count];
        if (_variances is { } variances)
            ParallelLoop.For(
                batch.Count,
                parallel,
                i => means[i] = RemoveFrom(variances.MeanTrace, variances.ComputeMeanSquare(Statistics, batch[i]))
            );
        return means;
    }

    private double GetRidge(double meanTrace) =>
        Regularisation.GetRidge(meanTrace / (Math.Max(1.0, Statistics.Count - 2) * Statistics.Dimensions));

    private double GetWeight(int position, ReadOnlySpan<double> delta, double meanTrace) =>
        _variances is null || Regularisation.QuietExponent == 0
            ? 1
            : Regularisation.GetWeight(
                RemoveFrom(_variances.TraceAt(position), TensorPrimitives.SumOfSquares(delta)),
                meanTrace
            );

    /// <summary>Computes a trace, or a mean of traces, without an image.</summary>
    private double RemoveFrom(double trace, double square)
    {
        if (Statistics.Count == 2)
            return trace;
        var left = trace - DeletionFactor * square;
        return left > TraceTolerance * trace ? left : 0;
    }

    /// <summary>The images of a batch, at one position after another.</summary>
    /// <param name="d">Length of an embedding vector.</param>
    /// <param name="images">Number of images in the batch.</param>
    private protected abstract class Worker(int d, int images)
    {
        // One column per image, padded to whole panels; columns without an image stay zero.
        private readonly double[] _deltas = new double[PanelKernel.GetPaddedColumns(images) * PanelKernel.GetStride(d)],
            _squares = new double[images],
            _weights = new double[images];

        /// <summary>Gets D of an image, length d; <see cref="ComputeSquares"/> overwrites it.</summary>
        public Span<double> this[int image] => _deltas.AsSpan(image * Stride, d);

        /// <summary>Gets M^2 of each image, before its weight.</summary>
        public Span<double> Squares => _squares;

        /// <summary>Gets the weight of each image's M^2.</summary>
        public Span<double> Weights => _weights;

        /// <summary>Gets the number of values from one image to the next.</summary>
        protected int Stride { get; } = PanelKernel.GetStride(d);

        /// <summary>Gets D of all images, one <see cref="Stride"/> apart.</summary>
        protected Span<double> Deltas => _deltas;

        /// <summary>Computes M^2 of all images at a position.</summary>
        public abstract void ComputeSquares(int position, Span<double> squares);
    }
}
