using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using MQTTnet;
using MQTTnet.Protocol;
using PaDiM.Service.Http;
using PaDiM.Service.Images;
using PaDiM.Service.Roles;
using PaDiM.Service.Sinks;

namespace PaDiM.Service.MqttCommands;

/// <summary>
/// Subscribes to commands and answers them. The broker hands out no more than are answered at a time, and shares them
/// among the replicas. A command is confirmed after its answer; one that was not goes to another replica if the connection
/// ends.
/// </summary>
internal sealed partial class MqttCommandListener(
    IOptions<MqttCommandOptions> options,
    MqttCommandScorer scorer,
    MqttCommandMetrics metrics,
    IOptions<ReplicaOptions> replica,
    IOptions<RoleOptions> role,
    IOptions<ImageOptions> images,
    TimeProvider time,
    ILogger<MqttCommandListener> logger
) : BackgroundService
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1),
        LongestPause = TimeSpan.FromSeconds(30),
        AttemptPatience = TimeSpan.FromSeconds(15),
        Farewell = TimeSpan.FromSeconds(5);

    /// <summary>What a packet has besides the image: topics, properties.</summary>
    private const int PacketSlack = 1 << 16;

    /// <summary>
    /// How many times as many commands as are scored at a time are taken. Quality of service 0 knows no receive maximum,
    /// and some brokers pass over it, such as mosquitto 2.0.11.
    /// </summary>
    private const int Overrun = 4;

    private readonly MqttCommandSettings _settings = options.Value.Mqtt;
    private readonly ConcurrentDictionary<Task, bool> _running = new();
    private readonly SemaphoreSlim _places = new(options.Value.Mqtt.MaxCommands);
    private int _free = options.Value.Mqtt.MaxCommands * Overrun;

    /// <summary>Gets why no commands arrive; null if they do, or if none are wanted.</summary>
    public string? Fault { get; private set; }

    public override void Dispose()
    {
        _places.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_settings.Host is null || !role.Value.Scores)
            return;
        Fault = "not connected yet";
        for (var pause = FirstPause; !stoppingToken.IsCancellationRequested; pause = Double(pause))
        {
            try
            {
                if (await ListenAsync(stoppingToken))
                    pause = FirstPause / 2;
            }
            catch (Exception e) when (IsOutside(e) && !stoppingToken.IsCancellationRequested)
            {
                if (Fault != e.Message)
                    LogAway(e.Message);
                Fault = e.Message;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Listens until the connection ends. Returns true: it has been there.</summary>
    private async Task<bool> ListenAsync(CancellationToken stoppingToken)
    {
        var topic = CommandTopic.Parse(_settings.Topic);
        var results = CommandTopic.Parse(_settings.ResultTopic);
        await using var connection = new MqttConnection(
            $"padim-commands-{replica.Value.ReplicaName}",
            _settings.ToRequest(),
            _settings.ToSecrets(),
            client =>
                client
                    .WithReceiveMaximum((ushort)_settings.MaxCommands)
                    .WithMaximumPacketSize((uint)GetLargestImage() + PacketSlack)
        );
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.NotifyOfEnd(() => ended.TrySetResult());
        connection.ReceiveCommands(received => Take(received, topic, results, connection, stoppingToken));
        using (var patience = new CancellationTokenSource(AttemptPatience, time))
        using (var attempt = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stoppingToken))
        {
            await connection.ConnectAsync(will: null, attempt.Token);
            await connection.SubscribeAsync(_settings.GetFilter(topic), attempt.Token);
        }
        Fault = null;
        metrics.SetConnected(true);
        LogListening(topic.Filter, _settings.Host!);
        try
        {
            await ended.Task.WaitAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            metrics.SetConnected(false);
        }
        if (stoppingToken.IsCancellationRequested)
        {
            // What is in progress is answered; what comes now goes to others.
            await Task.WhenAny(Task.WhenAll(_running.Keys), Task.Delay(Farewell, time, CancellationToken.None));
            await connection.CloseAsync(farewell: null);
            return true;
        }
        Fault = "the connection to the broker has ended";
        LogAway(Fault);
        return true;
    }

    private void Take(
        MqttApplicationMessageReceivedEventArgs received,
        CommandTopic topic,
        CommandTopic results,
        MqttConnection connection,
        CancellationToken stoppingToken
    )
    {
        received.AutoAcknowledge = false;
        var message = received.ApplicationMessage;
        // A broker may share retained messages; an old one is no command.
        if (message.Retain || topic.FindCategory(message.Topic) is not { } category)
        {
            received.AutoAcknowledge = true;
            return;
        }
        var to =
            string.IsNullOrEmpty(message.ResponseTopic) || topic.FindCategory(message.ResponseTopic) is not null
                ? results.Fill(category)
                : message.ResponseTopic;
        var command = MqttCommand.From(category, message);
        var isTaken = Interlocked.Decrement(ref _free) >= 0;
        var arrived = time.GetTimestamp();
        metrics.Start();
        var correlation = message.CorrelationData?.ToArray();
        var work = Task.Run(
            async () =>
            {
                var isAnswered = false;
                try
                {
                    isAnswered = await TryAnswerAsync();
                }
                finally
                {
                    Interlocked.Increment(ref _free);
                }
                // Last: the broker then sends the next command, which needs the place.
                if (isAnswered)
                    await ConfirmAsync(received, category);
            },
            CancellationToken.None
        );
        _running[work] = true;
        _ = work.ContinueWith(
            done => _running.TryRemove(done, out _),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );

        async Task<bool> TryAnswerAsync()
        {
            var outcome = "unanswered";
            try
            {
                var answer = isTaken
                    ? await ScoreAsync()
                    : scorer.Refuse(Problems.QueueFull("commands are in progress"), message.Topic);
                await connection.PublishAsync(
                    new MqttApplicationMessage
                    {
                        Topic = to,
                        PayloadSegment = new ArraySegment<byte>(answer.Payload),
                        PayloadFormatIndicator = MqttPayloadFormatIndicator.CharacterData,
                        ContentType = answer.ContentType,
                        CorrelationData = correlation,
                        QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
                    },
                    CancellationToken.None
                );
                outcome = answer.Problem?.Code ?? "scored";
                return true;
            }
            catch (Exception e) when (IsOutside(e))
            {
                LogUnanswered(category, e.Message);
                return false;
            }
            finally
            {
                metrics.End(outcome);
            }
        }

        async Task<CommandAnswer> ScoreAsync()
        {
            await _places.WaitAsync(stoppingToken);
            try
            {
                return await scorer.ScoreAsync(command, message.Topic, time.GetElapsedTime(arrived), stoppingToken);
            }
            finally
            {
                _places.Release();
            }
        }
    }

    private async Task ConfirmAsync(MqttApplicationMessageReceivedEventArgs received, string category)
    {
        try
        {
            await received.AcknowledgeAsync(CancellationToken.None);
        }
        catch (Exception e) when (IsOutside(e))
        {
            LogUnconfirmed(category, e.Message);
        }
    }

    private long GetLargestImage() => Math.Min(images.Value.MaxImageBytes, (1L << 28) - 1 - PacketSlack);

    private static TimeSpan Double(TimeSpan pause) => pause * 2 < LongestPause ? pause * 2 : LongestPause;

    /// <summary>Gets whether a failure is one of the broker, of the network or of a file, and not of this program.</summary>
    private static bool IsOutside(Exception e) =>
        e
            is DeliveryException
                or MQTTnet.Exceptions.MqttCommunicationException
                or IOException
                or UnauthorizedAccessException
                or InvalidOperationException
                or OperationCanceledException
                or System.Security.Cryptography.CryptographicException;

    [LoggerMessage(Level = LogLevel.Information, Message = "Listening for commands at {Filter} of {Host}")]
    private partial void LogListening(string filter, string host);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No commands from the broker: {Reason}")]
    private partial void LogAway(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A command for {Category} was not answered: {Reason}")]
    private partial void LogUnanswered(string category, string reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "A command for {Category} was answered and not confirmed, and may come again: {Reason}"
    )]
    private partial void LogUnconfirmed(string category, string reason);
}
