namespace PaDiM.Service.Inspections;

/// <summary>
/// Takes what writers of files write, also from methods that cannot wait, and passes it on when asked. It knows how much
/// went through, as formats with offsets want to know.
/// </summary>
internal sealed class ExportBuffer(Stream target) : Stream
{
    private readonly MemoryStream _held = new();
    private long _passed;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _passed + _held.Length;

    public override long Position
    {
        get => Length;
        set => throw new NotSupportedException();
    }

    /// <summary>Passes on what is held.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        _passed += _held.Length;
        await target.WriteAsync(_held.GetBuffer().AsMemory(0, (int)_held.Length), cancellationToken);
        await target.FlushAsync(cancellationToken);
        _held.SetLength(0);
    }

    public override void Write(byte[] buffer, int offset, int count) => _held.Write(buffer, offset, count);

    public override void Write(ReadOnlySpan<byte> buffer) => _held.Write(buffer);

    public override void Flush()
    {
        // Drained when the writer is between two pieces.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _held.Dispose();
        base.Dispose(disposing);
    }
}
