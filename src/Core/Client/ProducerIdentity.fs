namespace LibKafka.Client

/// Who an idempotent producer is to the brokers (KIP-98): they know a batch that comes a second time by this and the batch's sequence.
type ProducerIdentity =
    {
        ProducerId: int64
        /// Of producers with the same id, brokers let only the one with the highest epoch through.
        ProducerEpoch: int16
    }

    /// As in `producer 4711 epoch 3`.
    override this.ToString() = "producer " + string this.ProducerId + " epoch " + string this.ProducerEpoch
