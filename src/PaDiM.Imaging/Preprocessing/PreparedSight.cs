using System.Buffers;
using System.Numerics.Tensors;
using PaDiM.Core.Geometry;
using PaDiM.Core.InputChecks;

namespace PaDiM.Imaging.Preprocessing;

/// <summary>
/// Gathers the luma of a resized image, row by row, for <see cref="InputTraits"/>. Rounds to 8 bits, as stored training
/// images are: otherwise smooth images would seem less sharp in a score than in the fit.
/// </summary>
internal sealed class PreparedSight(int side) : IDisposable
{
    private readonly float[] _luma = ArrayPool<float>.Shared.Rent(side * side);
    private float _brightest;

    /// <summary>Adds a row, and rounds it in place.</summary>
    /// <param name="y">Index of the row.</param>
    /// <param name="rgb">Shape <c>(side, 3)</c>, in [0, 255].</param>
    public void Add(int y, Span<float> rgb)
    {
        TensorPrimitives.Round<float>(rgb, rgb);
        _brightest = Math.Max(_brightest, TensorPrimitives.Max<float>(rgb));
        Luma.FromRgb(rgb, _luma.AsSpan(y * side, side));
    }

    public InputTraits Measure(Grid? size) => InputTraits.Measure(_luma.AsSpan(0, side * side), side, _brightest, size);

    public void Dispose() => ArrayPool<float>.Shared.Return(_luma);
}
