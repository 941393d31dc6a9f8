namespace PaDiM.Service.Objects;

/// <summary>A part of a file as a stream of its own.</summary>
internal sealed class FileSection : Stream
{
    private readonly FileStream _file;
    private readonly long _start;
    private readonly long _length;

    public FileSection(string path, long start, long length)
    {
        _file = File.OpenRead(path);
        _start = start;
        _length = length;
        _file.Position = start;
    }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => _length;

    public override long Position
    {
        get => _file.Position - _start;
        set => _file.Position = _start + value;
    }

    public override int Read(Span<byte> buffer) =>
        _file.Read(buffer[..(int)Math.Min(buffer.Length, Math.Max(_length - Position, 0))]);

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        new(Read(buffer.Span));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        Task.FromResult(Read(buffer, offset, count));

    public override long Seek(long offset, SeekOrigin origin) =>
        Position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => Position + offset,
            _ => _length + offset,
        };

    public override void Flush() { }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _file.Dispose();
        base.Dispose(disposing);
    }
}
