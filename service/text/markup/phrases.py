"""What mail programs write around a quote and under a mail, in some twenty languages.

Exists so that the rules in `quotes` and `signatures` can be read without these words. Expressions
in words alone; those modules decide how they are applied, and what else a line needs.
"""

from __future__ import annotations

import re

# Who wrote what is quoted.
WROTE = (
    r"wrote|writes|a écrit|escribió|ha escrito|escreveu|ha scritto|schrieb|geschrieben|schreef"
    r"|geschreven|skrev|kirjoitti|napisał(?:\(a\))?|napisała|pisze|napsal(?:\(a\))?|написала?"
    r"|пишет|пише|a scris|yazdı|írta|έγραψε|كتب|כתב"
)
# The same in scripts that put no space before it.
WROTE_UNSPACED = r"写道|寫道|님이 작성|のメール|さんは書きました"
# Words of the writer's own: "On 3 March 2025 I wrote:", "… your driver wrote:"
OWN = re.compile(
    r"(?<!\w)(?:I|we|he|she|they|you)(?:'ve| have| had)? (?:wrote|written|writes)(?!\w)"
    r"|(?<!\w)(?:the|your|our|my|an?) \w+(?: \w+)? (?:wrote|writes)(?!\w)"
    r"|schrieb(?:en)? (?:ich|wir|er|sie|man)(?!\w)|(?:ich|wir|er|sie) (?:schrieb|ihnen|dir)(?!\w)"
    r"|(?:j'ai|nous avons|il a|elle a|on a) écrit|(?:escribí|escrevi|ho scritto|schreef ik)(?!\w)",
    re.IGNORECASE,
)
# Above a mail that is repeated or forwarded, between dashes.
REPEATED = (
    r"original message|original appointment|reply message|ursprüngliche (?:nachricht|e-?mail)"
    r"|original-?nachricht|message d'origine|message original|mensaje original|mensagem original"
    r"|messaggio originale|oorspronkelijk bericht|origineel bericht|oprindelig meddelelse"
    r"|ursprungligt meddelande|opprinnelig melding|wiadomość oryginalna|исходное сообщение"
    r"|元のメッセージ|原始邮件|原始郵件|원본 메시지|orijinal mesaj"
    r"|(?:start of )?forwarded message(?: from .{1,80})?|forwarded by .{1,80}"
    r"|weitergeleitete nachricht|message transféré"
    r"|mensaje reenviado|mensagem (?:re)?encaminhada|messaggio inoltrato|doorgestuurd bericht"
    r"|vidarebefordrat meddelande|videresendt meddelelse|przekazana wiadomość"
    r"|пересылаемое сообщение|転送メッセージ|転送されたメッセージ|转发的邮件|전달된 메시지"
)
# Below such a mail, between dashes: what stands under it is the writer's own again.
ENDED = (
    r"end (?:of )?(?:forwarded|original) message|ende der weitergeleiteten nachricht"
    r"|ende der (?:originalnachricht|weiterleitung)|fin du message (?:transféré|d'origine|original)"
    r"|fin del mensaje (?:reenviado|original)|fim da mensagem (?:encaminhada|original)"
    r"|fine (?:del )?messaggio (?:inoltrato|originale)|einde doorgestuurd bericht"
)
# Above a mail that is forwarded, without dashes.
FORWARDED = (
    r"begin forwarded message|anfang der weitergeleiteten (?:e-mail|nachricht)"
    r"|début du (?:message|courriel) (?:transféré|réexpédié)|inicio del mensaje reenviado"
    r"|início da mensagem (?:re)?encaminhada|inizio (?:del )?messaggio inoltrato"
    r"|begin doorgestuurd bericht|vidarebefordrat brev|転送されたメッセージ"
)
# The words of Outlook's block, each with a colon: who, when, and what about.
FROM = (
    r"from|von|de|da|van|från|fra|od|от|kimden|lähettäjä|feladó|de la|від|差出人|发件人|寄件者"
    r"|보낸 사람"
)
SENT = (
    r"sent|date|gesendet(?: am)?|datum|envoyé(?: le)?|enviado(?: el| em)?|enviada em|fecha|data"
    r"|inviato|verzonden|skickat|sendt|wysłano|отправлено|дата|送信日時|日時|日付|发送时间|寄件日期"
    r"|보낸 날짜|tarih|lähetetty|odesláno|odoslané|elküldve|küldve|trimis|надіслано"
)
ABOUT = (
    r"subject|betreff|objet|asunto|assunto|oggetto|onderwerp|ämne|emne|temat|тема|件名|主题|主旨"
    r"|제목|konu|aihe|předmět|predmet|tárgy|subiect"
)
TO = (
    r"to|cc|an|à|a|para|aan|till|til|do|кому|宛先|收件人|收件者|받는 사람|kime|reply-to|antwort an"
    r"|vastaanottaja|komu|címzett|către"
)
# The line that a phone or a program adds.
DEVICE = re.compile(
    r"(?:sent|written|typed) (?:from|via|using) "
    r"(?!.{0,40}\b(?:ago|never|not|was|were|is|and|but)\b)(?:my |the )?.{2,40}"
    r"|get outlook for .{2,20}"
    r"|(?:von|mit) meinem .{0,20}(?:phone|pad|handy|android|galaxy|samsung|huawei|xiaomi|pixel"
    r"|mobil|telefon|tablet|gerät|blackberry|mac|pc).{0,20} gesendet"
    r"|gesendet (?:von|mit) .{2,40}|diese nachricht wurde von "
    r"meinem .{2,40} gesendet\.?|outlook für .{2,20} (?:herunterladen|beziehen)"
    r"|(?:envoyé|provenance)\s?(?:de|depuis|à partir de|:) .{2,40}|télécharger outlook pour .{2,20}"
    r"|obtenir outlook pour .{2,20}|enviado (?:desde|do|a partir do|de) .{2,40}"
    r"|obtener outlook para .{2,20}|obter o outlook para .{2,20}|inviato (?:da|dal) .{2,40}"
    r"|(?:ottieni|scarica) outlook per .{2,20}|(?:verstuurd|verzonden) (?:vanaf|vanuit|met) .{2,40}"
    r"|outlook voor .{2,20} downloaden|skickat från .{2,40}|sendt fra .{2,40}|wysłane z .{2,40}"
    r"|отправлено с .{2,40}|(?:iphone|ipad|android|スマートフォン)から送信|从我的.{2,20}发送"
    r"|发自我的.{2,20}"
    r"|나의 .{2,20}에서 보냄|virus-?free\.?.{0,40}",
    re.IGNORECASE,
)
# Legal notices.
NOTICE = re.compile(
    r"this (?:e-?mail|message|communication|transmission)\W.{0,120}?"
    r"(?:confidential|privileged|intended (?:solely|only|for))"
    r"|(?:if you|you) (?:are|have) (?:not the intended recipient|received this (?:e-?mail|message"
    r"|communication|transmission)\W.{0,30}in error)"
    r"|(?:confidentiality|legal|privacy) (?:notice|disclaimer)\s?:|the (?:information|contents?) "
    r"(?:contained )?(?:in|of) this (?:e-?mail|message|transmission)"
    r"|(?:views|opinions) (?:or opinions )?(?:expressed|presented) "
    r"(?:in|herein)\W.{0,80}(?:author|sender)"
    r"|consider the environment before printing|scanned for .{0,20}virus"
    r"|registered (?:office|address|in england)\W.{0,160}(?:no\.?|number|registered|company)"
    r"|diese (?:e-?mail|nachricht)\W.{0,160}(?:vertraulich|irrtümlich|rechtlich geschützt)"
    r"|(?:ce|cet) (?:message|e-?mail|courriel)\W.{0,160}confidentiel"
    r"|este (?:mensaje|correo)\W.{0,160}confidencial|esta mensagem\W.{0,160}confidencia"
    r"|(?:questo messaggio|questa e-?mail|le informazioni contenute)\W.{0,160}(?:riservat"
    r"|confidenzial)"
    r"|(?:dit (?:e-?mail)?bericht|deze e-?mail"
    r"|de informatie in dit)\W.{0,160}(?:vertrouwelijk|bestemd)"
    r"|(?:この|本)(?:電子)?メール.{0,80}(?:機密|秘密|誤って)",
    re.IGNORECASE,
)
# What a mail server puts above a mail.
BANNER = re.compile(
    r"\W{0,4}(?:\[?external(?: e-?mail| sender)?\]?\W{0,4}$|(?:caution|warning"
    r"|external(?: e-?mail)?|attention|achtung"
    r"|notice|vorsicht)\W{1,4}.{0,40}(?:e-?mail|message|nachricht|sender)\b.{0,60}"
    r"(?:outside|external|extern))",
    re.IGNORECASE,
)
# A closing formula, alone on its line.
CLOSING = re.compile(
    r"(?:(?:with )?(?:(?:my |our )?(?:kind(?:est)?|best|warm(?:est)?|many"
    r"|friendly) )?(?:personal )?(?:regards|wishes)"
    r"|(?:all the |with )?best|(?:yours |most )?(?:sincerely|faithfully|truly)(?: yours)?"
    r"|respectfully(?: yours)?|cordially|cheers|warmly|rgds|br|kr|love|take care|yours"
    r"|(?:many )?(?:thanks|thank you)(?: (?:again|in advance|so much|very much|a lot))?"
    r"(?: (?:and|&) (?:kind |best )?regards)?|thx"
    r"|(?:mit )?(?:freundliche[nm]?|beste[nm]?|herzliche[nm]?|viele[nm]?|liebe[nm]?|schöne[nm]?)"
    r" (?:grü(?:ß|ss)e?n?|gru(?:ß|ss)|dank)|hochachtungsvoll|mfg|lg|vg|(?:vielen |besten )?dank"
    r"(?: im voraus)?|danke|gru(?:ß|ss)"
    r"|(?:bien )?cordialement|(?:bien|très) à vous|(?:meilleures|sincères) salutations"
    r"|salutations(?: distinguées)?|merci(?: d'avance)?|bonne journée|amicalement"
    r"|(?:un )?(?:cordial |atento )?saludos?(?: cordiales)?|atentamente|(?:muchas )?gracias"
    r"|(?:com os )?(?:melhores )?cumprimentos|atenciosamente|(?:muito )?obrigad[oa]|abraços?|att"
    r"|(?:cordiali|distinti) saluti|(?:un )?saluti|cordialmente|grazie(?: mille)?"
    r"|(?:met )?(?:vriendelijke|hartelijke) groet(?:en)?|mvg|groet(?:jes|en)?|(?:alvast )?bedankt"
    r"|(?:med )?(?:vänliga|venlige?|vennlig|bästa) hälsning(?:ar)?|(?:med )?(?:venlig"
    r"|vennlig) hilsen|mvh"
    r"|pozdrawiam|с уважением|よろしくお願い(?:いた)?(?:します|致します)|敬具|此致|谢谢|祝好"
    r"|감사합니다"
    r"|z poważaniem|pozdrowienia|s pozdravem|üdvözlettel|ystävällisin terveisin|cu stimă"
    r"|με εκτίμηση|з повагою|İyi çalışmalar"
    r"|saygılarımla)\s?[,.!。、-]{0,3}",
    re.IGNORECASE,
)
