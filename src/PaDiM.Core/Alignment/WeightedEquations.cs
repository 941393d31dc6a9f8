using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace PaDiM.Core.Alignment;

/// <summary>
/// The weighted normal equations of <see cref="RobustRefinement"/>: the sums of w J J^T and of w J I over pixels, with J
/// the derivatives along x, along y and by the angle, the template and 1, I the image, and w = 1 / (1 + r^2 / (nu
/// variance)) with the residual r. All sums of eight pixels are made at a time, in lanes that are the same on every
/// machine, and go on in float64 after a few hundred pixels. A buffer for one worker.
/// </summary>
/// <param name="gain">Factor of the template's grey values.</param>
/// <param name="offset">Added to them.</param>
/// <param name="precision">1 / (nu variance).</param>
internal sealed class WeightedEquations(float gain, float offset, float precision)
{
    /// <summary>The upper triangle of five unknowns, their right-hand side, and the squares of the residuals.</summary>
    private const int Count = 21;

    /// <summary>Pixels after which float32 sums are added to those in float64.</summary>
    private const int Run = 512;

    private readonly Vector256<float>[] _lanes = new Vector256<float>[Count];
    private readonly double[] _sums = new double[Count];
    private int _pixels;

    /// <summary>Gets the upper triangle by rows, then the right-hand side.</summary>
    public ReadOnlySpan<double> Sums
    {
        get
        {
            Flush();
            return _sums.AsSpan(0, Count - 1);
        }
    }

    /// <summary>Gets the sum of w r^2.</summary>
    public double Squares
    {
        get
        {
            Flush();
            return _sums[Count - 1];
        }
    }

    /// <summary>Adds pixels.</summary>
    /// <param name="image">Their values in the image.</param>
    /// <param name="template">Their values in the template.</param>
    /// <param name="alongX">The template's derivatives along x.</param>
    /// <param name="alongY">The template's derivatives along y.</param>
    /// <param name="byAngle">The template's derivatives by the angle.</param>
    public void Add(
        ReadOnlySpan<float> image,
        ReadOnlySpan<float> template,
        ReadOnlySpan<float> alongX,
        ReadOnlySpan<float> alongY,
        ReadOnlySpan<float> byAngle
    )
    {
        var lanes = Vector256<float>.Count;
        var at = 0;
        for (; at + lanes <= image.Length; at += lanes)
            Add(
                Load(image, at),
                Load(template, at),
                Load(alongX, at),
                Load(alongY, at),
                Load(byAngle, at),
                Vector256<float>.One
            );
        if (at < image.Length)
        {
            // Zeros have no weight.
            Span<float> rest = stackalloc float[6 * lanes];
            rest.Clear();
            image[at..].CopyTo(rest);
            template[at..].CopyTo(rest[lanes..]);
            alongX[at..].CopyTo(rest[(2 * lanes)..]);
            alongY[at..].CopyTo(rest[(3 * lanes)..]);
            byAngle[at..].CopyTo(rest[(4 * lanes)..]);
            rest.Slice(5 * lanes, image.Length - at).Fill(1);
            Add(
                Load(rest, 0),
                Load(rest, lanes),
                Load(rest, 2 * lanes),
                Load(rest, 3 * lanes),
                Load(rest, 4 * lanes),
                Load(rest, 5 * lanes)
            );
        }
        _pixels += image.Length;
        if (_pixels >= Run)
            Flush();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Add(
        Vector256<float> i,
        Vector256<float> t,
        Vector256<float> x,
        Vector256<float> y,
        Vector256<float> a,
        Vector256<float> inside
    )
    {
        var residual = i - t * gain - Vector256.Create(offset);
        var squared = residual * residual;
        var w = inside / (squared * precision + Vector256<float>.One);
        var wx = w * x;
        var wy = w * y;
        var wa = w * a;
        var wt = w * t;
        ref var sums = ref MemoryMarshal.GetArrayDataReference(_lanes);
        AddTo(ref sums, 0, wx * x);
        AddTo(ref sums, 1, wx * y);
        AddTo(ref sums, 2, wx * a);
        AddTo(ref sums, 3, wx * t);
        AddTo(ref sums, 4, wx);
        AddTo(ref sums, 5, wy * y);
        AddTo(ref sums, 6, wy * a);
        AddTo(ref sums, 7, wy * t);
        AddTo(ref sums, 8, wy);
        AddTo(ref sums, 9, wa * a);
        AddTo(ref sums, 10, wa * t);
        AddTo(ref sums, 11, wa);
        AddTo(ref sums, 12, wt * t);
        AddTo(ref sums, 13, wt);
        AddTo(ref sums, 14, w);
        AddTo(ref sums, 15, wx * i);
        AddTo(ref sums, 16, wy * i);
        AddTo(ref sums, 17, wa * i);
        AddTo(ref sums, 18, wt * i);
        AddTo(ref sums, 19, w * i);
        AddTo(ref sums, 20, w * squared);
    }

    private void Flush()
    {
        if (_pixels == 0)
            return;
        for (var k = 0; k < Count; k++)
            _sums[k] += Vector256.Sum(_lanes[k]);
        Array.Clear(_lanes);
        _pixels = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddTo(ref Vector256<float> sums, int index, Vector256<float> value) =>
        Unsafe.Add(ref sums, index) += value;

    private static Vector256<float> Load(ReadOnlySpan<float> values, int at) =>
        Vector256.LoadUnsafe(ref MemoryMarshal.GetReference(values), (nuint)at);
}
