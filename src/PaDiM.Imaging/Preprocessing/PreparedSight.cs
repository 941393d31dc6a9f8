using System.Buffers;
using System.Numerics.Tensors;
using PaDiM.Core.Geometry;
using PaDiM.Core.InputChecks;

namespace PaDiM.Imaging.Preprocessing;

/// <summary>
/// Gathers the luma of a resized image, row by row, for <see cref="InputTraits"/>. Rounds to 8 bits, as stored training
/// images are: otherwise smooth images would seem less sharp in a score than in the fit.
/// </summary>
/// <param name="size">What the prepared image shows of the original.</param>
internal sealed class PreparedSight(Grid size) : IDisposable
{
    private readonly float[] _luma = ArrayPool<float>.Shared.Rent(size.Positions);
    private readonly float[] _rounded = ArrayPool<float>.Shared.Rent(3 * size.Width);
    private float _brightest;

    /// <summary>Adds a row.</summary>
    /// <param name="y">Index of the row.</param>
    /// <param name="rgb">Shape <c>(size.Width, 3)</c>, in [0, 255].</param>
    public void Add(int y, ReadOnlySpan<float> rgb)
    {
        var rounded = _rounded.AsSpan(0, 3 * size.Width);
        TensorPrimitives.Round(rgb, rounded);
        _brightest = Math.Max(_brightest, TensorPrimitives.Max<float>(rounded));
        Luma.FromRgb(rounded, _luma.AsSpan(y * size.Width, size.Width));
    }

    public InputTraits Measure(Grid? fileSize) =>
        InputTraits.Measure(_luma.AsSpan(0, size.Positions), size, _brightest, fileSize);

    public void Dispose()
    {
        ArrayPool<float>.Shared.Return(_luma);
        ArrayPool<float>.Shared.Return(_rounded);
    }
}
