namespace PaDiM.Engine.Export;

/// <summary>
/// Represents a file of known length, created piece by piece while it is read, as a stream. Seeking back starts again;
/// seeking on creates and drops the pieces between.
/// </summary>
/// <param name="length">The length in bytes.</param>
/// <param name="getPieces">Creates the pieces from the beginning; a piece is valid until the next one is
/// requested.</param>
internal sealed class PieceStream(long length, Func<IEnumerable<ReadOnlyMemory<byte>>> getPieces) : Stream
{
    private IEnumerator<ReadOnlyMemory<byte>>? _pieces;
    private ReadOnlyMemory<byte> _rest;

    /// <summary>The position of the first byte of the rest of the current piece.</summary>
    private long _reached;

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position { get; set; }

    public override int Read(Span<byte> buffer)
    {
        if (Position >= length || buffer.IsEmpty)
            return 0;
        if (_pieces is null || Position < _reached)
            Restart();
        while (Position - _reached >= _rest.Length)
        {
            _reached += _rest.Length;
            if (!_pieces!.MoveNext())
                throw new InvalidDataException("The file ends before its length.");
            _rest = _pieces.Current;
        }
        _rest = _rest[(int)(Position - _reached)..];
        _reached = Position;
        var count = Math.Min(_rest.Length, buffer.Length);
        _rest.Span[..count].CopyTo(buffer);
        Position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <summary>Reads on the calling thread: pieces are computed, not waited for.</summary>
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Read(buffer.Span));
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin) =>
        Position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => Position + offset,
            _ => length + offset,
        };

    public override void Flush() { }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _pieces?.Dispose();
        base.Dispose(disposing);
    }

    private void Restart()
    {
        _pieces?.Dispose();
        _pieces = getPieces().GetEnumerator();
        _rest = default;
        _reached = 0;
    }
}
