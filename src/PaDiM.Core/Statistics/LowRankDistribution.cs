using System.Numerics.Tensors;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Statistics;

/// <summary>
/// Covariances of few images, Cov = (their scatter, of rank r) + ridge I, by Woodbury's identity in an orthonormal
/// basis Q (r x d) of the subspace that the images span: M^2 = |W Q delta|^2 + |delta - Q^T Q delta|^2 / ridge, with W
/// the whitening factor of Q Cov Q^T. Exact, with <c>r d</c> values per position in place of <c>d^2 / 2</c>, and
/// without the cancellation of large squares in (|delta|^2 - |B delta|^2) / ridge.
/// </summary>
public sealed class LowRankDistribution : PatchDistribution
{
    /// <summary>Pivots below this share of the largest one are rounding errors: the images span no more.</summary>
    private const double RankTolerance = 1e-13;

    /// <summary>Creates distributions from their bases.</summary>
    /// <param name="grid">Patch positions.</param>
    /// <param name="dimensions">Length d of an embedding vector.</param>
    /// <param name="rank">Rank r, 1 to d.</param>
    /// <param name="mean">Shape <c>(positions, d)</c>.</param>
    /// <param name="basis">Q, shape <c>(positions, r, d)</c>: orthonormal rows, or rows of zeros where the images span
    /// fewer than r dimensions.</param>
    /// <param name="whitening">W, shape <c>(positions, r (r + 1) / 2)</c>: lower triangles packed by columns.</param>
    /// <param name="ridge">Variance in all other directions, over the weight of squared distances, shape
    /// <c>(positions)</c>: above 0, and infinite where the weight is 0.</param>
    /// <exception cref="ArgumentException">An array has another length, or a ridge is not above 0.</exception>
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
            throw new ArgumentException("Ridges must be above 0.", nameof(ridge));
    }

    /// <summary>Gets the rank r.</summary>
    public int Rank { get; }

    /// <summary>Gets Q, shape <c>(positions, r, d)</c>.</summary>
    public ReadOnlyMemory<float> Basis { get; }

    /// <summary>Gets W, shape <c>(positions, r (r + 1) / 2)</c>.</summary>
    public ReadOnlyMemory<float> Whitening { get; }

    /// <summary>
    /// Gets the variance in all other directions, over the weight of squared distances, shape <c>(positions)</c>.
    /// </summary>
    public ReadOnlyMemory<float> Ridge { get; }

    /// <inheritdoc/>
    public override long Bytes => sizeof(float) * ((long)Mean.Length + Basis.Length + Whitening.Length + Ridge.Length);

    internal override int ScratchLength => 2 * Rank;

    /// <summary>Gets the number of values of basis and whitening factor per position.</summary>
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
            // inside = Q delta, and delta becomes its part outside of the subspace. Removing one row of Q after the
            // other (modified Gram-Schmidt) loses less to rounding than removing Q^T Q delta at once.
            inside[k] = TensorPrimitives.Dot(direction, delta);
            TensorPrimitives.MultiplyAdd(direction, -inside[k], delta, delta);
        }
        var packed = PackedTriangle.GetLength(Rank);
        PackedTriangle.Multiply(Whitening.Span.Slice(position * packed, packed), inside, whitened);
        // M^2 = |W Q delta|^2 + |delta - Q^T Q delta|^2 / ridge.
        return MathF.Sqrt(
            TensorPrimitives.SumOfSquares<float>(whitened)
                + TensorPrimitives.SumOfSquares<float>(delta) / Ridge.Span[position]
        );
    }

    /// <summary>
    /// Computes F = (I - Q^T Q) / sqrt(ridge) + Q^T W Q, which is I / sqrt(ridge) + Q^T (W - I / sqrt(ridge)) Q; in
    /// float64, since the first two terms nearly cancel within the subspace.
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
        // inner = (W - I / sqrt(ridge)) Q, shape (r, d).
        foreach (var column in PackedTriangle.Columns(Rank))
            for (var i = column.Index; i < Rank; i++)
            {
                var target = inner.AsSpan(i * d, d);
                TensorPrimitives.MultiplyAdd(
                    basis.AsSpan(column.Index * d, d),
                    whitening[column.GetEntry(i)] - (i == column.Index ? outside : 0),
                    target,
                    target
                );
            }
        // Row i of F: row i of I / sqrt(ridge) plus row i of Q^T times inner.
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
        var variances = regularisation.Measure(statistics);
        Partition.Run(
            positions,
            parallel,
            () => new Workspace(rank, d),
            (p, work) =>
            {
                var terms = regularisation.GetTerms(statistics, variances, p);
                work.FindBasis(statistics.ScatterAt(p));
                work.Whiten(terms);
                TensorPrimitives.ConvertTruncating<double, float>(work.Basis, basis.AsSpan(p * rank * d, rank * d));
                TensorPrimitives.ConvertTruncating<double, float>(work.Inner, whitening.AsSpan(p * packed, packed));
                // Infinite where the weight is 0: nothing counts there.
                ridges[p] = (float)(terms.Ridge / terms.Weight);
            }
        );
        return new LowRankDistribution(statistics.Grid, d, rank, ToSingle(statistics.Mean), basis, whitening, ridges);
    }

    /// <summary>The buffers that one worker needs to bring a scatter into its subspace.</summary>
    private sealed class Workspace(int rank, int d)
    {
        private readonly double[] _rows = new double[rank * d],
            _remaining = new double[d],
            _scratch = new double[rank];

        private readonly DenseTriangle _dense = new(rank);

        /// <summary>Gets Q, shape <c>(r, d)</c>, row-major.</summary>
        public double[] Basis { get; } = new double[rank * d];

        /// <summary>Gets the whitening factor of Q Cov Q^T, packed by columns; Q M2 Q^T before that.</summary>
        public double[] Inner { get; } = new double[PackedTriangle.GetLength(rank)];

        /// <summary>
        /// Factorises M2 = R^T R with r rows by a Cholesky factorisation with pivots, and makes R's rows orthonormal by
        /// modified Gram-Schmidt, applied twice. Cost: O(d r^2).
        /// </summary>
        /// <exception cref="ArithmeticException">The scatter is not finite.</exception>
        public void FindBasis(ReadOnlySpan<double> scatter)
        {
            Array.Clear(_rows);
            Array.Clear(Basis);
            // The diagonal of what the rows so far do not explain; its largest entry is the next pivot.
            foreach (var column in PackedTriangle.Columns(d))
                _remaining[column.Index] = scatter[column.Start];
            var largest = _remaining.Max();
            if (!double.IsFinite(TensorPrimitives.SumOfMagnitudes(scatter)))
                throw new ArithmeticException("The scatter is not finite.");
            for (var k = 0; k < rank; k++)
            {
                var pivot = TensorPrimitives.IndexOfMax<double>(_remaining);
                if (!(_remaining[pivot] > largest * RankTolerance))
                    break;
                // Row k of R: the pivot's column, less what rows 0 to k - 1 explain, over the root of its diagonal.
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

        /// <summary>
        /// Computes the whitening factor of Q Cov Q^T, with Cov = scale M2 + ridge I, times the root of the weight.
        /// </summary>
        public void Whiten(in PositionTerms terms)
        {
            Array.Clear(Inner);
            // Q M2 Q^T = (R Q^T)^T (R Q^T): the sum of outer products of the rows of R Q^T, one in _scratch at a time.
            for (var k = 0; k < rank; k++)
            {
                var row = _rows.AsSpan(k * d, d);
                for (var l = 0; l < rank; l++)
                    _scratch[l] = TensorPrimitives.Dot<double>(row, Basis.AsSpan(l * d, d));
                foreach (var column in PackedTriangle.Columns(rank))
                {
                    var target = column.In(Inner.AsSpan());
                    var j = column.Index;
                    TensorPrimitives.MultiplyAdd(_scratch.AsSpan(j), terms.Scale * _scratch[j], target, target);
                }
            }
            PackedTriangle.Whiten(Inner, terms.Ridge, _dense);
            if (terms.Weight < 1)
                TensorPrimitives.Multiply(Inner, Math.Sqrt(terms.Weight), Inner);
        }

        private void Orthonormalise(int k, ReadOnlySpan<double> row)
        {
            var direction = Basis.AsSpan(k * d, d);
            row.CopyTo(direction);
            // The second pass removes what rounding left in the first ("twice is enough", Kahan).
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
            // A row within the span of the earlier ones adds no dimension.
            if (norm > 1e-9 * TensorPrimitives.Norm<double>(row))
                TensorPrimitives.Divide(direction, norm, direction);
            else
                direction.Clear();
        }

        /// <summary>
        /// Copies column j of the symmetric matrix. Entries above the diagonal are stored in row j of the columns
        /// before.
        /// </summary>
        private void CopyColumn(ReadOnlySpan<double> packed, int j, Span<double> column)
        {
            foreach (var stored in PackedTriangle.Columns(d, j + 1))
                if (stored.Index < j)
                    column[stored.Index] = packed[stored.GetEntry(j)];
                else
                    stored.In(packed).CopyTo(column[j..]);
        }
    }
}
