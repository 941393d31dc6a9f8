using System.Buffers;
using PaDiM.Core.Embedding;
using PaDiM.Core.Geometry;
using PaDiM.Imaging.Preprocessing;

namespace PaDiM.Engine.Inference;

/// <summary>
/// The passage of an image's tiles through the backbone, a batch at a time: prepares the tiles of a batch, and says
/// where their features belong. Only one batch is in memory. Not thread-safe.
/// </summary>
/// <param name="embedder">Embeds images tile by tile.</param>
/// <param name="reader">Prepares the tiles; none has been read yet.</param>
internal sealed class TileRun(Embedder embedder, TileReader reader) : IDisposable
{
    private readonly TileGrid _tiles = embedder.Tiles!.Divide(embedder.Backbone.Taps[0].Stride);
    private int _first;

    /// <summary>Gets the prepared tiles of the batch, at least shape <c>(Count, 3, size, size)</c>.</summary>
    public float[] Prepared { get; private set; } = [];

    /// <summary>Gets the number of tiles of the batch.</summary>
    public int Count { get; private set; }

    /// <summary>Gets whether there are more tiles behind those of the batch.</summary>
    public bool HasMore => _first + Count < _tiles.Count;

    /// <summary>Prepares the next batch; false if there are no more tiles.</summary>
    /// <param name="most">The most tiles of the batch.</param>
    public bool PrepareNext(int most)
    {
        _first += Count;
        Count = Math.Min(most, _tiles.Count - _first);
        var length = embedder.PreparedLength;
        if (Prepared.Length < Count * length)
        {
            Dispose();
            Prepared = ArrayPool<float>.Shared.Rent(Count * length);
        }
        for (var i = 0; i < Count; i++)
            reader.Read(_first + i, Prepared.AsSpan(i * length, length));
        return Count > 0;
    }

    /// <summary>Gets the tiles of the batch, in patch positions, with their features.</summary>
    /// <param name="features">The features of the batch, perhaps with others.</param>
    /// <param name="first">Index of the first tile's features.</param>
    /// <exception cref="InvalidDataException">The network gives another grid than its strides say.</exception>
    public (Tile Tile, ReducedTaps Features)[] Locate(BackboneFeatures features, int first)
    {
        var located = new (Tile Tile, ReducedTaps Features)[Count];
        for (var i = 0; i < Count; i++)
        {
            located[i] = (_tiles[_first + i], features.GetTaps(first + i));
            if (located[i].Features.Grid != new Grid(_tiles.Size, _tiles.Size))
                throw new InvalidDataException(
                    $"The backbone '{embedder.Backbone.Identity.Name}' gives a tile {located[i].Features.Grid}, not "
                        + $"{_tiles.Size} x {_tiles.Size} positions. Use it without tiles."
                );
        }
        return located;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Prepared.Length > 0)
            ArrayPool<float>.Shared.Return(Prepared);
        Prepared = [];
    }
}
