namespace PaDiM.Service.Objects;

/// <summary>One attempt of a request: cancelled when nothing has moved for a while.</summary>
internal sealed class S3Attempt : IDisposable
{
    private readonly TimeSpan _timeout;
    private readonly CancellationTokenSource _clock;
    private readonly CancellationTokenSource _either;

    public S3Attempt(TimeSpan timeout, TimeProvider time, CancellationToken cancellationToken)
    {
        _timeout = timeout;
        _clock = new CancellationTokenSource(timeout, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(_clock.Token, cancellationToken);
    }

    public CancellationToken Token => _either.Token;

    /// <summary>Records that something has moved.</summary>
    public void Progress() => _clock.CancelAfter(_timeout);

    /// <summary>Watches what is read for an upload.</summary>
    public Stream Watch(Stream source) => new Watched(source, this);

    public void Dispose()
    {
        _either.Dispose();
        _clock.Dispose();
    }

    private sealed class Watched(Stream source, S3Attempt attempt) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => source.Length;

        public override long Position
        {
            get => source.Position;
            set => source.Position = value;
        }

        public override int Read(Span<byte> buffer)
        {
            attempt.Progress();
            return source.Read(buffer);
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            attempt.Progress();
            return source.ReadAsync(buffer, cancellationToken);
        }

        public override Task<int> ReadAsync(
            byte[] buffer,
            int offset,
            int count,
            CancellationToken cancellationToken
        ) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override long Seek(long offset, SeekOrigin origin) => source.Seek(offset, origin);

        public override void Flush() { }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
