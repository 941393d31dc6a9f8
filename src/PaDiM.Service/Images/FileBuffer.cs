namespace PaDiM.Service.Images;

/// <summary>
/// Collects the bytes of a file while they arrive. A file whose length is known is read into the array that is returned
/// in the end; other files are copied once.
/// </summary>
/// <remarks>
/// Memory grows with what has arrived, not with what was announced: a client that announces much and sends nothing
/// occupies one megabyte.
/// </remarks>
internal sealed class FileBuffer
{
    /// <summary>The bytes that <see cref="Beginning"/> has at least, unless the file or what was announced is shorter.</summary>
    public const int BeginningLength = 1 << 16;

    private const int MaxFirstPiece = 1 << 20,
        MaxPiece = 1 << 22,
        EndPiece = 1 << 12;

    private readonly int? _announced;
    private readonly List<byte[]> _full = [];
    private byte[] _piece;
    private int _fullLength,
        _used;

    /// <summary>Creates a buffer.</summary>
    /// <param name="announced">The length that the client announced; null if it did not.</param>
    public FileBuffer(int? announced)
    {
        _announced = announced;
        _piece = Allocate(Math.Clamp(announced ?? BeginningLength, 1, MaxFirstPiece));
    }

    /// <summary>Gets the number of bytes that have arrived.</summary>
    public int Length => _fullLength + _used;

    /// <summary>Gets the first bytes.</summary>
    public ReadOnlySpan<byte> Beginning => _full.Count > 0 ? _full[0] : _piece.AsSpan(0, _used);

    /// <summary>Gets where the next bytes go. It is never empty, so that the end of a stream can be read.</summary>
    public Memory<byte> GetFree()
    {
        if (_used == _piece.Length)
            Grow();
        return _piece.AsMemory(_used);
    }

    /// <summary>Counts bytes that were written to <see cref="GetFree"/>.</summary>
    public void Advance(int count) => _used += count;

    /// <summary>Gets the file. The buffer must not be used afterwards.</summary>
    public byte[] ToArray()
    {
        if (_full is [var only] && _used == 0)
            return only;
        if (_full is [] && _used == _piece.Length)
            return _piece;
        var file = Allocate(Length);
        var at = 0;
        foreach (var piece in _full)
        {
            piece.CopyTo(file, at);
            at += piece.Length;
        }
        _piece.AsSpan(0, _used).CopyTo(file.AsSpan(at));
        return file;
    }

    private void Grow()
    {
        if (_full.Count == 0 && _announced > _piece.Length)
        {
            var whole = Allocate(_announced.Value);
            _piece.CopyTo(whole, 0);
            _piece = whole;
            return;
        }
        _full.Add(_piece);
        _fullLength += _piece.Length;
        _used = 0;
        _piece = Allocate(Length == _announced ? EndPiece : Math.Min(2 * _piece.Length, MaxPiece));
    }

    /// <summary>Every byte is written before it is read, so that nothing is cleared.</summary>
    private static byte[] Allocate(int length) => GC.AllocateUninitializedArray<byte>(length);
}
