-- Revision 0016: measurements over time, and the daily report drawn from them.

ALTER TABLE ops.api_budget ADD COLUMN throttled BIGINT DEFAULT 0 NOT NULL;
COMMENT ON COLUMN ops.api_budget.throttled IS 'Answers 429 so far.';

CREATE TABLE ops.measurement (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    metric TEXT NOT NULL,
    labels TEXT[],
    value DOUBLE PRECISION NOT NULL,
    CONSTRAINT measurement_pkey PRIMARY KEY (id)
);

CREATE INDEX measurement_at_idx ON ops.measurement (at);
CREATE INDEX measurement_metric_idx ON ops.measurement (metric, at);

COMMENT ON TABLE ops.measurement IS 'One number of one metric at one moment.';
COMMENT ON COLUMN ops.measurement.id IS 'Our own number of the row.';
COMMENT ON COLUMN ops.measurement.at IS 'When it was measured.';
COMMENT ON COLUMN ops.measurement.metric IS 'The metric''s name, as Prometheus knows it.';
COMMENT ON COLUMN ops.measurement.labels IS 'The values of the metric''s labels, in their order.';
COMMENT ON COLUMN ops.measurement.value IS 'What was measured, in the metric''s unit.';

CREATE TABLE ops.report (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    made_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    kind TEXT NOT NULL,
    html TEXT NOT NULL,
    CONSTRAINT report_pkey PRIMARY KEY (id)
);

CREATE INDEX report_kind_idx ON ops.report (kind, id);

COMMENT ON TABLE ops.report IS 'One report as a page.';
COMMENT ON COLUMN ops.report.id IS 'Our own number of the row.';
COMMENT ON COLUMN ops.report.made_at IS 'When it was drawn.';
COMMENT ON COLUMN ops.report.kind IS 'Which report it is, e.g. health.';
COMMENT ON COLUMN ops.report.html IS 'The page as it was drawn; it loads nothing from elsewhere.';

