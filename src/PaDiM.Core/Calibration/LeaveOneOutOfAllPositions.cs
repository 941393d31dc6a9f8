using System.Numerics.Tensors;
using PaDiM.Core.Embedding;
using PaDiM.Core.Scoring;
using PaDiM.Core.Statistics;

namespace PaDiM.Core.Calibration;

/// <summary>
/// Leave-one-out distances where all positions share a Gaussian: the patches of the image are removed from the sums,
/// and the one covariance is factorised again. Mean, ridge and shrinkage are those of the other images. Where these are
/// a single sample, there is no covariance, and the ridge of all images stands in.
/// </summary>
internal sealed class LeaveOneOutOfAllPositions(SharedStatistics statistics, Regularisation regularisation)
    : LeaveOneOut(statistics.Grid, statistics.Dimensions)
{
    private readonly double _ridge = GetRidge(statistics.ToSamples(), regularisation);

    private protected override AnomalyMap[] Compute(IReadOnlyList<PatchEmbedding> batch, ParallelOptions parallel)
    {
        var maps = new AnomalyMap[batch.Count];
        ParallelLoop.For(
            batch.Count,
            parallel,
            () => new Worker(this, statistics, regularisation),
            (i, worker) => maps[i] = worker.Compute(batch[i])
        );
        return maps;
    }

    private static double GetRidge(PatchStatistics samples, Regularisation regularisation) =>
        regularisation.GetRidge(
            PackedTriangle.ComputeTrace(samples.Scatter, samples.Dimensions)
                / ((samples.Count - 1.0) * samples.Dimensions)
        );

    /// <summary>The buffers that one worker needs for an image.</summary>
    private sealed class Worker(
        LeaveOneOutOfAllPositions owner,
        SharedStatistics statistics,
        Regularisation regularisation
    )
    {
        private readonly int _stride = PanelKernel.GetStride(statistics.Dimensions);
        private readonly ImageSums _sums = statistics.CreateImageSums();
        private readonly DenseTriangle _factor = new(statistics.Dimensions);
        private readonly double[] _deltas = new double[
            PanelKernel.Width * PanelKernel.GetStride(statistics.Dimensions)
        ];
        private readonly double[] _panel = new double[PanelKernel.Width * PanelKernel.GetStride(statistics.Dimensions)];

        /// <summary>Computes the distances of an image from the Gaussian of the others.</summary>
        public AnomalyMap Compute(PatchEmbedding image)
        {
            var others = statistics.Without(image, _sums).ToSamples();
            var terms =
                others.Count < 2
                    ? new PositionTerms(0, owner._ridge, 1)
                    : regularisation.GetTerms(others, regularisation.Measure(others), 0);
            _factor.Load(others.Scatter, terms.Scale, terms.Ridge);
            _factor.Factorise();
            _factor.Invert();
            var distances = new float[image.Grid.Positions];
            for (var first = 0; first < distances.Length; first += PanelKernel.Width)
                ComputeNorms(image, others.Mean, first, distances.AsSpan(first));
            return new AnomalyMap(image.Grid, distances);
        }

        /// <summary>Computes |W (x - mean)| for the next four patches, which are a panel.</summary>
        private void ComputeNorms(PatchEmbedding image, double[] mean, int first, Span<float> distances)
        {
            var d = statistics.Dimensions;
            var count = Math.Min(PanelKernel.Width, distances.Length);
            for (var i = 0; i < count; i++)
            {
                var delta = _deltas.AsSpan(i * _stride, d);
                TensorPrimitives.ConvertTruncating<float, double>(image[first + i], delta);
                TensorPrimitives.Subtract(delta, mean, delta);
            }
            // panel = W D: factor(k, c) is D[k] of patch first + c.
            PanelKernel.Multiply(
                _factor.Values,
                _stride,
                fromRow: 0,
                _deltas,
                nextFactor: 1,
                nextColumn: _stride,
                count: d,
                diagonal: 0,
                _panel,
                subtract: false
            );
            for (var i = 0; i < count; i++)
                distances[i] = (float)TensorPrimitives.Norm<double>(_panel.AsSpan(i * _stride, _stride));
        }
    }
}
