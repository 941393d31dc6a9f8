using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Statistics;

/// <summary>
/// Covariances of few images, Cov = (their scatter, of rank r) + ridge I, by Woodbury's identity in an orthonormal
/// basis Q (r x d) of what the images span: M^2 = |W Q delta|^2 + |delta - Q^T Q delta|^2 / ridge, with W the whitening
/// factor of Q Cov Q^T. Exact, <c>r d</c> values a position in place of <c>d^2 / 2</c>, and without the difference of
/// large squares that (|delta|^2 - |B delta|^2) / ridge would be.
/// </summary>
public sealed class LowRankDistribution : PatchDistribution
{
    /// <summary>Pivots below this share of the largest are rounding: the images span no more.</summary>
    private const double RankTolerance = 1e-13;

    /// <summary>Distributions in stated bases.</summary>
    /// <param name="grid">Patch positions.</param>
    /// <param name="dimensions">d.</param>
    /// <param name="rank">r, at most d.</param>
    /// <param name="mean">Shape <c>(positions, d)</c>.</param>
    /// <param name="basis">Q, shape <c>(positions, r, d)</c>: orthonormal rows, or rows of zeros where the images span
    /// less.</param>
    /// <param name="whitening">W, shape <c>(positions, r (r + 1) / 2)</c>: lower triangles packed by columns.</param>
    /// <param name="ridge">Variance in all other directions, shape <c>(positions)</c>, above 0.</param>
    /// <exception cref="ArgumentException">An array of another length, or a ridge that is not above 0.</exception>
    public LowRankDistribution(
        Grid grid,
        int dimensions,
        int rank,
        ReadOnlyMemory<float> mean,
        ReadOnlyMemory<float> basis,
        ReadOnlyMemory<float> whitening,
        ReadOnlyMemory<float> ridge
    )
        : base(grid, dimensions, mean)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rank, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rank, dimensions);
        Rank = rank;
        Basis = Shapes.CheckLength(basis, (long)grid.Positions * rank * dimensions);
        Whitening = Shapes.CheckLength(whitening, (long)grid.Positions * PackedTriangle.GetLength(rank));
        Ridge = Shapes.CheckLength(ridge, grid.Positions);
        if (!(TensorPrimitives.Min(ridge.Span) > 0))
            throw new ArgumentException("A ridge must lie above 0.", nameof(ridge));
    }

    /// <summary>r.</summary>
    public int Rank { get; }

    /// <summary>Q, shape <c>(positions, r, d)</c>.</summary>
    public ReadOnlyMemory<float> Basis { get; }

    /// <summary>W, shape <c>(positions, r (r + 1) / 2)</c>.</summary>
    public ReadOnlyMemory<float> Whitening { get; }

    /// <summary>Variance in all other directions, shape <c>(positions)</c>.</summary>
    public ReadOnlyMemory<float> Ridge { get; }

    /// <inheritdoc/>
    public override long Bytes => sizeof(float) * ((long)Mean.Length + Basis.Length + Whitening.Length + Ridge.Length);

    internal override int ScratchLength => 2 * Rank;

    /// <summary>Values a position.</summary>
    internal static long GetLength(int rank, int d) => (long)rank * d + (long)rank * (rank + 1) / 2;

    internal override void ComputeNorms(int position, Span<float> deltas, Span<float> norms, Span<float> scratch)
    {
        for (var i = 0; i < norms.Length; i++)
            norms[i] = ComputeNorm(position, deltas.Slice(i * Dimensions, Dimensions), scratch);
    }

    private float ComputeNorm(int position, Span<float> delta, Span<float> scratch)
    {
        var inside = scratch[..Rank];
        var whitened = scratch.Slice(Rank, Rank);
        for (var k = 0; k < Rank; k++)
        {
            var direction = Basis.Span.Slice((position * Rank + k) * Dimensions, Dimensions);
            // What is taken out leaves the rest orthogonal to it: one row after the other loses less than all at once.
            inside[k] = TensorPrimitives.Dot(direction, delta);
            TensorPrimitives.MultiplyAdd(direction, -inside[k], delta, delta);
        }
        var packed = PackedTriangle.GetLength(Rank);
        PackedTriangle.Multiply(Whitening.Span.Slice(position * packed, packed), inside, whitened);
        return MathF.Sqrt(
            TensorPrimitives.SumOfSquares<float>(whitened)
                + TensorPrimitives.SumOfSquares<float>(delta) / Ridge.Span[position]
        );
    }

    /// <summary>
    /// F = (I - Q^T Q) / sqrt(ridge) + Q^T W Q, which is I / sqrt(ridge) + Q^T (W - I / sqrt(ridge)) Q; in float64,
    /// since the first two terms nearly cancel within the span.
    /// </summary>
    /// <inheritdoc/>
    public override void UnpackWhitening(int position, Span<float> square)
    {
        var d = Dimensions;
        var packed = PackedTriangle.GetLength(Rank);
        var outside = 1 / Math.Sqrt(Ridge.Span[position]);
        var basis = new double[Rank * d];
        var inner = new double[Rank * d];
        var row = new double[d];
        TensorPrimitives.ConvertTruncating<float, double>(Basis.Span.Slice(position * Rank * d, Rank * d), basis);
        var whitening = Whitening.Span.Slice(position * packed, packed);
        for (int j = 0, at = 0; j < Rank; at += Rank - j++)
        for (var i = j; i < Rank; i++)
        {
            var target = inner.AsSpan(i * d, d);
            TensorPrimitives.MultiplyAdd(
                basis.AsSpan(j * d, d),
                whitening[at + i - j] - (i == j ? outside : 0),
                target,
                target
            );
        }
        for (var i = 0; i < d; i++)
        {
            Array.Clear(row);
            row[i] = outside;
            for (var k = 0; k < Rank; k++)
                TensorPrimitives.MultiplyAdd(inner.AsSpan(k * d, d), basis[k * d + i], row, row);
            TensorPrimitives.ConvertTruncating<double, float>(row, square.Slice(i * d, d));
        }
    }

    internal static LowRankDistribution Create(
        PatchStatistics statistics,
        Regularisation regularisation,
        ParallelOptions parallel
    )
    {
        var d = statistics.Dimensions;
        var rank = statistics.Count - 1;
        var positions = statistics.Grid.Positions;
        var packed = PackedTriangle.GetLength(rank);
        var basis = new float[positions * rank * d];
        var whitening = new float[positions * packed];
        var ridges = new float[positions];
        Partition.Run(
            positions,
            parallel,
            () => new Workspace(rank, d),
            (p, work) =>
            {
                var (scale, ridge) = regularisation.GetScaleAndRidge(statistics, p);
                work.FindBasis(statistics.ScatterAt(p));
                work.Whiten(scale, ridge);
                TensorPrimitives.ConvertTruncating<double, float>(work.Basis, basis.AsSpan(p * rank * d, rank * d));
                TensorPrimitives.ConvertTruncating<double, float>(work.Inner, whitening.AsSpan(p * packed, packed));
                ridges[p] = (float)ridge;
            }
        );
        return new LowRankDistribution(statistics.Grid, d, rank, ToSingle(statistics.Mean), basis, whitening, ridges);
    }

    /// <summary>What one worker needs to bring a scatter into its subspace.</summary>
    private sealed class Workspace(int rank, int d)
    {
        private readonly double[] _rows = new double[rank * d],
            _remaining = new double[d],
            _scratch = new double[rank];

        private readonly DenseTriangle _dense = new(rank);

        /// <summary>Q, row after row.</summary>
        public double[] Basis { get; } = new double[rank * d];

        /// <summary>Q M2 Q^T at first, its whitening factor in the end.</summary>
        public double[] Inner { get; } = new double[PackedTriangle.GetLength(rank)];

        /// <summary>
        /// M2 = R^T R with r rows by Cholesky's factorisation with pivots; then R's rows made orthonormal, by modified
        /// Gram-Schmidt done twice.
        /// </summary>
        public void FindBasis(ReadOnlySpan<double> scatter)
        {
            Array.Clear(_rows);
            Array.Clear(Basis);
            for (int j = 0, at = 0; j < d; at += d - j++)
                _remaining[j] = scatter[at];
            var largest = _remaining.Max();
            if (!double.IsFinite(TensorPrimitives.SumOfMagnitudes(scatter)))
                throw new ArithmeticException("The scatter is not finite.");
            for (var k = 0; k < rank; k++)
            {
                var pivot = TensorPrimitives.IndexOfMax<double>(_remaining);
                if (!(_remaining[pivot] > largest * RankTolerance))
                    break;
                var row = _rows.AsSpan(k * d, d);
                CopyColumn(scatter, pivot, row);
                for (var l = 0; l < k; l++)
                    TensorPrimitives.MultiplyAdd(_rows.AsSpan(l * d, d), -_rows[l * d + pivot], row, row);
                TensorPrimitives.Divide(row, Math.Sqrt(row[pivot]), row);
                for (var j = 0; j < d; j++)
                    _remaining[j] -= row[j] * row[j];
                Orthonormalise(k, row);
            }
        }

        /// <summary>Cov in the basis, factorised.</summary>
        public void Whiten(double scale, double ridge)
        {
            Array.Clear(Inner);
            for (var k = 0; k < rank; k++)
            {
                var row = _rows.AsSpan(k * d, d);
                for (var l = 0; l < rank; l++)
                    _scratch[l] = TensorPrimitives.Dot<double>(row, Basis.AsSpan(l * d, d));
                for (int j = 0, at = 0; j < rank; at += rank - j++)
                    TensorPrimitives.MultiplyAdd(
                        _scratch.AsSpan(j),
                        scale * _scratch[j],
                        Inner.AsSpan(at, rank - j),
                        Inner.AsSpan(at, rank - j)
                    );
            }
            PackedTriangle.Whiten(Inner, ridge, _dense);
        }

        private void Orthonormalise(int k, ReadOnlySpan<double> row)
        {
            var direction = Basis.AsSpan(k * d, d);
            row.CopyTo(direction);
            for (var pass = 0; pass < 2; pass++)
            for (var l = 0; l < k; l++)
            {
                var earlier = Basis.AsSpan(l * d, d);
                TensorPrimitives.MultiplyAdd(
                    earlier,
                    -TensorPrimitives.Dot<double>(earlier, direction),
                    direction,
                    direction
                );
            }
            var norm = TensorPrimitives.Norm<double>(direction);
            // A row that lies within the others spans nothing new.
            if (norm > 1e-9 * TensorPrimitives.Norm<double>(row))
                TensorPrimitives.Divide(direction, norm, direction);
            else
                direction.Clear();
        }

        /// <summary>
        /// Column j of the symmetric matrix: what stands left of the diagonal lies in the columns before.
        /// </summary>
        private void CopyColumn(ReadOnlySpan<double> packed, int j, Span<double> column)
        {
            var at = 0;
            for (var i = 0; i < j; at += d - i++)
                column[i] = packed[at + j - i];
            packed.Slice(at, d - j).CopyTo(column[j..]);
        }
    }
}
