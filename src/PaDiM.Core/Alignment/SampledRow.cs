using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using PaDiM.Core.Geometry;

namespace PaDiM.Core.Alignment;

/// <summary>
/// The points of a plane that a row of pixels is sampled at: the point of the first pixel, and the step from each to the
/// next. Widths of vectors do not change a bit.
/// </summary>
/// <param name="X">Column of the first point.</param>
/// <param name="Y">Row of the first point.</param>
/// <param name="StepX">Columns from one point to the next.</param>
/// <param name="StepY">Rows from one point to the next.</param>
internal readonly record struct SampledRow(double X, double Y, double StepX, double StepY)
{
    /// <summary>Gets the pixels, from the first to before the end, whose points lie between four pixels of a plane.</summary>
    /// <param name="pixels">Number of pixels of the row.</param>
    /// <param name="plane">Rows and columns of the plane.</param>
    public (int First, int End) FindInside(int pixels, Grid plane)
    {
        // A line crosses the plane once: all points from the first to the last one inside are inside.
        var first = 0;
        while (first < pixels && !IsInside(first, plane))
            first++;
        var end = pixels;
        while (end > first && !IsInside(end - 1, plane))
            end--;
        return (first, end);
    }

    /// <summary>Interpolates between the four pixels around each point.</summary>
    /// <param name="plane">The plane.</param>
    /// <param name="width">Its columns.</param>
    /// <param name="first">The first pixel of the row; it and those up to the end are inside.</param>
    /// <param name="end">The end of the pixels.</param>
    /// <param name="values">Receives their values, at their index.</param>
    public unsafe void Sample(ReadOnlySpan<float> plane, int width, int first, int end, Span<float> values)
    {
        var x = first;
        if (Avx2.IsSupported)
            fixed (float* pixels = plane)
                for (; x + Vector256<float>.Count <= end; x += Vector256<float>.Count)
                {
                    var (left, shareX) = Split(X, StepX, x);
                    var (top, shareY) = Split(Y, StepY, x);
                    var at = top * width + left;
                    var (topLeft, topRight) = GatherPairs(pixels, at);
                    var (bottomLeft, bottomRight) = GatherPairs(pixels + width, at);
                    var above = topLeft + (topRight - topLeft) * shareX;
                    var below = bottomLeft + (bottomRight - bottomLeft) * shareX;
                    (above + (below - above) * shareY).CopyTo(values[x..]);
                }
        for (; x < end; x++)
        {
            var (left, shareX) = Split(X + StepX * x);
            var (top, shareY) = Split(Y + StepY * x);
            var pair = plane.Slice(top * width + left, 2);
            var pairBelow = plane.Slice((top + 1) * width + left, 2);
            var above = pair[0] + (pair[1] - pair[0]) * shareX;
            var below = pairBelow[0] + (pairBelow[1] - pairBelow[0]) * shareX;
            values[x] = above + (below - above) * shareY;
        }
    }

    /// <summary>Interpolates a pixel of three channels between the four around its point.</summary>
    /// <param name="image">Interleaved channels.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="x">A pixel that is inside, and whose neighbours are not the last of the image.</param>
    /// <returns>The channels, and a fourth value without meaning.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector128<float> SampleChannels(ReadOnlySpan<float> image, int width, int x)
    {
        var (left, shareX) = Split(X + StepX * x);
        var (top, shareY) = Split(Y + StepY * x);
        var above = image.Slice(3 * (top * width + left), 7);
        var below = image.Slice(3 * ((top + 1) * width + left), 7);
        var upper = Blend(ref MemoryMarshal.GetReference(above), shareX);
        var lower = Blend(ref MemoryMarshal.GetReference(below), shareX);
        return upper + (lower - upper) * shareY;
    }

    /// <summary>Interpolates between two pixels that follow each other, the first channels of which are given.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Blend(ref float pixels, float share)
    {
        var left = Vector128.LoadUnsafe(ref pixels);
        return left + (Vector128.LoadUnsafe(ref pixels, 3) - left) * share;
    }

    /// <summary>Reads eight pairs of neighbours, each in one piece.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static unsafe (Vector256<float> Left, Vector256<float> Right) GatherPairs(float* pixels, Vector256<int> at)
    {
        // Pairs 0 to 3 and 4 to 7. The shuffle takes lefts and rights of both in the order 0 1 4 5 2 3 6 7, and the
        // permutation puts them in order.
        var first = Avx2.GatherVector256((double*)pixels, at.GetLower(), sizeof(float)).AsSingle();
        var second = Avx2.GatherVector256((double*)pixels, at.GetUpper(), sizeof(float)).AsSingle();
        var left = Avx.Shuffle(first, second, 0b10_00_10_00);
        var right = Avx.Shuffle(first, second, 0b11_01_11_01);
        return (
            Avx2.Permute4x64(left.AsDouble(), 0b11_01_10_00).AsSingle(),
            Avx2.Permute4x64(right.AsDouble(), 0b11_01_10_00).AsSingle()
        );
    }

    private bool IsInside(int x, Grid plane)
    {
        var column = X + StepX * x;
        var row = Y + StepY * x;
        return column >= 0 && row >= 0 && column < plane.Width - 1 && row < plane.Height - 1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (int Low, float Share) Split(double coordinate)
    {
        var low = (int)coordinate;
        return (low, (float)(coordinate - low));
    }

    /// <summary>Splits the coordinates of eight pixels, in float64 as one is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<int> Low, Vector256<float> Share) Split(double start, double step, int x)
    {
        var (low, share) = SplitFour(start, step, x);
        var (lowAfter, shareAfter) = SplitFour(start, step, x + 4);
        return (Vector256.Create(low, lowAfter), Vector256.Create(share, shareAfter));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<int> Low, Vector128<float> Share) SplitFour(double start, double step, int x)
    {
        // Whole numbers are exact, so these are the indices themselves.
        var indices = Vector256.Create((double)x) + Vector256.Create(0.0, 1, 2, 3);
        var coordinates = Vector256.Create(start) + Vector256.Create(step) * indices;
        var low = Avx.ConvertToVector128Int32WithTruncation(coordinates);
        return (low, Avx.ConvertToVector128Single(coordinates - Avx.ConvertToVector256Double(low)));
    }
}
