namespace LibKafka.Client

/// A partition of a topic.
type TopicPartition =
    {
        Topic: string
        /// From 0.
        Partition: int
    }

    /// As in `orders-3`.
    override this.ToString() = this.Topic + "-" + string this.Partition
