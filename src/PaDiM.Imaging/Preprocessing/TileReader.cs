using System.Buffers;
using PaDiM.Core.Geometry;
using PaDiM.Core.InputChecks;

namespace PaDiM.Imaging.Preprocessing;

/// <summary>
/// Prepares an image tile by tile. Holds as many rows of the prepared image as a tile has, so that memory does not grow
/// with the height of the image, and no row is resized twice. Only an image that is aligned is held whole. Reads the
/// image as long as it lives. Not thread-safe.
/// </summary>
public sealed class TileReader : IDisposable
{
    private readonly Preprocessor _preprocessing;
    private readonly ImageFrame _frame;
    private readonly TileGrid _tiles;
    private readonly RgbImage? _shrunk;
    private readonly AntialiasedResampler? _resampler;

    /// <summary>All rows of an image that is aligned; null for others.</summary>
    private readonly float[]? _aligned;

    /// <summary>The rows that tiles are cut from: row y is at y modulo the side of a tile.</summary>
    private readonly float[] _rows;

    private readonly PreparedSight? _sight;
    private int _next;
    private int _resized = -1;
    private bool _isDisposed;

    /// <summary>Opens an image.</summary>
    /// <param name="preprocessing">Prepares it.</param>
    /// <param name="image">The original, or the original scaled down while it was decoded.</param>
    /// <param name="frame">How the original lies in the prepared image.</param>
    /// <param name="tiles">Tiles of the prepared image, in pixels.</param>
    /// <param name="measures">Whether <see cref="Measure"/> will be called.</param>
    /// <param name="shrunk">Receives the image as <see cref="Preprocessor.Shrink"/> returns it; null for none.</param>
    internal TileReader(
        Preprocessor preprocessing,
        RgbImage image,
        ImageFrame frame,
        TileGrid tiles,
        bool measures,
        RgbImage? shrunk = null
    )
    {
        _preprocessing = preprocessing;
        _frame = frame;
        _tiles = tiles;
        _shrunk = shrunk;
        _sight = measures ? new PreparedSight(frame.Content) : null;
        _rows = ArrayPool<float>.Shared.Rent(tiles.Size * RowLength);
        if (preprocessing.IsAligned)
            (_aligned, Placement) = preprocessing.ResizeAndAlign(image, frame, shrunk, _sight);
        else
            _resampler = new AntialiasedResampler(image, frame);
    }

    /// <summary>
    /// Gets the position of the part in the image, in pixels of the image size; the identity without alignment.
    /// </summary>
    public RigidTransform Placement { get; } = RigidTransform.Identity;

    private int RowLength => 3 * _tiles.Area.Width;

    /// <summary>Prepares a tile. Tiles are read in their order.</summary>
    /// <param name="index">Index of the tile.</param>
    /// <param name="prepared">Shape <c>(3, size, size)</c>.</param>
    public void Read(int index, Span<float> prepared)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var tile = _tiles[index];
        var side = _tiles.Size;
        for (; _next < tile.Y + side; _next++)
            ReadRow(_next);
        for (var y = 0; y < side; y++)
            _preprocessing.Normalise(GetRow(tile.Y + y).Slice(3 * tile.X, 3 * side), y, new Grid(side, side), prepared);
    }

    /// <summary>Measures the image; all tiles have been read.</summary>
    public InputTraits Measure()
    {
        if (_next < _tiles.Area.Height)
            throw new InvalidOperationException("An image is measured when all of its tiles have been read.");
        return _sight!.Measure(_frame.Original);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Arrays that return to the pool twice would be lent to two owners.
        if (_isDisposed)
            return;
        _isDisposed = true;
        _resampler?.Dispose();
        _sight?.Dispose();
        ArrayPool<float>.Shared.Return(_rows);
        if (_aligned is not null)
            ArrayPool<float>.Shared.Return(_aligned);
    }

    private Span<float> GetRow(int y) => _rows.AsSpan(y % _tiles.Size * RowLength, RowLength);

    /// <summary>Resizes a row, and measures it while it is at hand.</summary>
    private void ReadRow(int y)
    {
        if (_aligned is not null)
        {
            _aligned.AsSpan(y * RowLength, RowLength).CopyTo(GetRow(y));
            return;
        }
        var row = GetRow(y);
        var (rows, columns) = (_frame.Rows, _frame.Columns);
        // Beyond the image, its first or last row is repeated.
        var source = Math.Clamp(y - rows.TargetStart, 0, rows.TargetLength - 1);
        if (source != _resized)
        {
            var target = row.Slice(3 * columns.TargetStart, 3 * columns.TargetLength);
            _resampler!.Row(source, target);
            if (_shrunk is not null)
                Preprocessor.Round(target, _shrunk.Pixels.AsSpan(source * target.Length, target.Length));
            Preprocessor.RepeatEdges(row, columns);
            _resized = source;
        }
        else
            GetRow(y - 1).CopyTo(row);
        if (y >= rows.ContentStart && y < rows.ContentStart + rows.ContentLength)
            _sight?.Add(y - rows.ContentStart, Preprocessor.GetContent(row, columns));
    }
}
